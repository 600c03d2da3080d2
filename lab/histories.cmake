# Random histories of the application in one process. Included by lab/CMakeLists.txt.
set(LAB_HISTORIES
    history.c
    history_check.c
    history_draw.c
    history_sabotage.c
    history_scenario.c
    history_shrink.c
    history_steps.c
    history_wanted.c
    history_world.c
)

# With sanitizers, as everything else of this preset.
add_executable(lab-histories-sanitized ${LAB_HISTORIES})
target_link_libraries(lab-histories-sanitized PRIVATE lab-skin lab-model kcb-options)

# Thousands of them want speed: the same sources once more, optimised and without sanitizers.
set(plain_sources ${LAB_HISTORIES})
foreach(library charm-base charm charm-runtime kcb lab-model lab-skin)
    get_target_property(folder ${library} SOURCE_DIR)
    get_target_property(sources ${library} SOURCES)
    list(TRANSFORM sources PREPEND "${folder}/")
    list(APPEND plain_sources ${sources})
endforeach()
add_executable(lab-histories ${plain_sources})
target_compile_definitions(lab-histories PRIVATE
    _POSIX_C_SOURCE=200809L CHARMI_VERSION="${PROJECT_VERSION}")
# pipe2(), see src/edge/juju/CMakeLists.txt
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/edge/juju/process.c PROPERTIES
    COMPILE_DEFINITIONS _GNU_SOURCE)
target_compile_options(lab-histories PRIVATE -O2 -g)
target_include_directories(lab-histories PRIVATE
    ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(lab-histories PRIVATE third-party::jansson third-party::yaml m)
# clang-tidy looks at each source once
set_target_properties(lab-histories PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
