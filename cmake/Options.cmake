# What can be chosen, and the compile options that every target of ours shares.

option(KCB_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(KCB_FUZZ "Build tests/fuzz with libFuzzer; wants clang" OFF)
option(KCB_WERROR "Treat warnings as errors" ON)
option(KCB_TESTS "Build the tests" ON)
option(KCB_LAB "Build the lab that plays Juju" ON)
option(KCB_BENCH "Build the programs of tools/benchmark" ON)
option(KCB_PACKAGE "Put the charm directory and the .charm archive together" OFF)
option(KCB_SYSTEM_LIBRARIES "Take every third-party library from the system" OFF)

set(KCB_PINNED_LIBRARIES "rdkafka" CACHE STRING
    "Which libraries come from the pinned sources: rdkafka (the rest is the system's) or all")
set_property(CACHE KCB_PINNED_LIBRARIES PROPERTY STRINGS rdkafka all)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Link it PRIVATE: options are ours, they do not travel to a charm that uses our libraries. The
# link options do travel, since a program must be linked with the sanitizers of its libraries.
add_library(kcb-options INTERFACE)

target_compile_definitions(kcb-options INTERFACE _POSIX_C_SOURCE=200809L)

target_include_directories(kcb-options INTERFACE
    "${CMAKE_CURRENT_SOURCE_DIR}/include"
    "${CMAKE_CURRENT_SOURCE_DIR}/src")

target_compile_options(kcb-options INTERFACE
    -Wall
    -Wextra
    -Wpedantic
    -Walloca
    -Wcast-qual
    -Wconversion
    -Wno-sign-conversion
    -Wdouble-promotion
    -Wformat=2
    -Wimplicit-fallthrough
    -Wmissing-declarations
    -Wmissing-prototypes
    -Wnested-externs
    -Wold-style-definition
    -Wpointer-arith
    -Wshadow
    -Wstrict-prototypes
    -Wundef
    -Wvla
    -Wwrite-strings
    $<$<C_COMPILER_ID:GNU>:-Wduplicated-cond>
    $<$<C_COMPILER_ID:GNU>:-Wlogical-op>
    $<$<BOOL:${KCB_WERROR}>:-Werror>)

if(KCB_FUZZ)
    target_compile_options(kcb-options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(KCB_SANITIZE)
    target_compile_options(kcb-options INTERFACE
        -O1
        -fsanitize=address,undefined
        -fno-sanitize-recover=all
        -fno-omit-frame-pointer
        # gcc says it of code that the sanitizers added
        $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(kcb-options INTERFACE -fsanitize=address,undefined)
else()
    target_compile_options(kcb-options INTERFACE
        -fstack-protector-strong
        $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>
        $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
endif()
