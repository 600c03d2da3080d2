# How a unit test joins the build.

if(KCB_TESTS)
    enable_testing()
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(kcb_cmocka REQUIRED IMPORTED_TARGET cmocka)
endif()

# cmocka hands every test a state that few of them look at. An interface, linked behind kcb-options:
# options of a target itself come before those, and clang lets a later -Wextra take them back.
add_library(kcb-test-options INTERFACE)
target_compile_options(kcb-test-options INTERFACE -Wno-unused-parameter)

# What every test program finds in its environment: the first finding of a sanitizer ends it.
set(KCB_TEST_ENVIRONMENT
    "ASAN_OPTIONS=abort_on_error=0:detect_leaks=1:strict_string_checks=1"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1")

# charm_add_unit_test(NAME SOURCES file... [LIBS target...])
#
# One cmocka program, one ctest test of the same name, label "unit". It runs in its source
# directory, so that test data is named by a relative path.
function(charm_add_unit_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "charm_add_unit_test(${name}): wants SOURCES file... [LIBS target...]")
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name}
        PRIVATE ${arg_LIBS} kcb-options kcb-test-options PkgConfig::kcb_cmocka)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES
        LABELS unit
        TIMEOUT 120
        ENVIRONMENT "${KCB_TEST_ENVIRONMENT}")
endfunction()
