# The release's compiler: zig's clang, which links for glibc 2.31 on any machine. third-party/build
# fetches it, pinned, into the cache.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

# CMake reads this file once for each test program as well; those are told the answer.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES KCB_ZIG)

if(NOT KCB_ZIG)
    execute_process(
        COMMAND "${CMAKE_CURRENT_LIST_DIR}/../third-party/build" zig
        OUTPUT_VARIABLE KCB_ZIG
        OUTPUT_STRIP_TRAILING_WHITESPACE
        RESULT_VARIABLE kcb_zig_status)
    if(NOT kcb_zig_status EQUAL 0)
        message(FATAL_ERROR
            "The release's compiler is not there. With a network, run:\n  third-party/build zig")
    endif()
endif()

set(CMAKE_C_COMPILER "${KCB_ZIG}/zig-cc")
set(CMAKE_AR "${KCB_ZIG}/zig-ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "${KCB_ZIG}/zig-ranlib" CACHE FILEPATH "")

# -O2 said: without it zig adds traps of its own
set(CMAKE_C_FLAGS_RELEASE "-O2 -fno-sanitize=all -ffunction-sections -fdata-sections" CACHE STRING "")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-pie -Wl,--gc-sections")
