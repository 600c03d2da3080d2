# third-party::{jansson,curl,yaml,crypto,rdkafka}: from the pinned sources or from the system.
#
#                            all others           rdkafka
#   preset dev               system               pinned
#   preset release           pinned               pinned
#   KCB_SYSTEM_LIBRARIES=ON  system               system (2.6.1 or newer)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(kcb_take_from_system name module)
    pkg_check_modules(kcb_${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
    add_library(third-party::${name} ALIAS PkgConfig::kcb_${name})
endfunction()

# kcb_take_pinned(NAME ARCHIVE [LIBS what it needs...])
function(kcb_take_pinned name archive)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LIBS")
    add_library(third-party::${name} STATIC IMPORTED GLOBAL)
    set_target_properties(third-party::${name} PROPERTIES
        IMPORTED_LOCATION "${kcb_pinned_prefix}/lib/${archive}"
        INTERFACE_INCLUDE_DIRECTORIES "${kcb_pinned_prefix}/include"
        INTERFACE_LINK_LIBRARIES "${arg_LIBS}")
endfunction()

# Builds the pinned libraries, or finds them built, and says where they are.
function(kcb_build_pinned set result)
    set(command "${PROJECT_SOURCE_DIR}/third-party/build")
    execute_process(
        COMMAND "${command}" "${set}"
        OUTPUT_VARIABLE prefix
        OUTPUT_STRIP_TRAILING_WHITESPACE
        RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR
            "The pinned libraries are not there. With a network, run:\n  third-party/build ${set}")
    endif()
    set(${result} "${prefix}" PARENT_SCOPE)
endfunction()

if(KCB_PINNED_LIBRARIES STREQUAL "all" AND NOT KCB_SYSTEM_LIBRARIES)
    kcb_build_pinned(release kcb_pinned_prefix)
    kcb_take_pinned(zlib libz.a)
    kcb_take_pinned(crypto libcrypto.a LIBS Threads::Threads ${CMAKE_DL_LIBS})
    kcb_take_pinned(ssl libssl.a LIBS third-party::crypto)
    kcb_take_pinned(jansson libjansson.a)
    kcb_take_pinned(yaml libyaml.a)
    kcb_take_pinned(curl libcurl.a LIBS third-party::ssl third-party::zlib)
else()
    kcb_take_from_system(zlib zlib)
    kcb_take_from_system(crypto libcrypto)
    kcb_take_from_system(ssl libssl)
    kcb_take_from_system(jansson jansson)
    kcb_take_from_system(yaml yaml-0.1)
    kcb_take_from_system(curl libcurl)
endif()

# Before 2.6.1 SCRAM does not work with Kafka 4 and says "wrong password" of a right one.
function(kcb_take_new_rdkafka)
    pkg_check_modules(kcb_found_rdkafka QUIET rdkafka)
    if(NOT kcb_found_rdkafka_FOUND)
        set(found "there is none that pkg-config knows")
    elseif(kcb_found_rdkafka_VERSION VERSION_LESS 2.6.1)
        set(found "the system has ${kcb_found_rdkafka_VERSION}")
    else()
        kcb_take_from_system(rdkafka rdkafka)
        return()
    endif()
    message(FATAL_ERROR
        "KCB_SYSTEM_LIBRARIES=ON wants librdkafka 2.6.1 or newer from the system, and ${found}. "
        "Install a newer one (Debian 13's librdkafka-dev will do), or leave the option off: then the "
        "pinned one is built, as third-party/build does.")
endfunction()

if(KCB_SYSTEM_LIBRARIES)
    kcb_take_new_rdkafka()
else()
    if(NOT kcb_pinned_prefix)
        kcb_build_pinned(dev kcb_pinned_prefix)
    endif()
    kcb_take_pinned(rdkafka librdkafka.a
        LIBS third-party::ssl third-party::crypto third-party::zlib Threads::Threads m)
endif()
