# Puts the charm together: charm/ and kafka-connect-base_amd64.charm in the build directory.

if(NOT KCB_PINNED_LIBRARIES STREQUAL "all" OR KCB_SYSTEM_LIBRARIES)
    message(FATAL_ERROR "KCB_PACKAGE: only a program with every library linked in can be packed")
endif()

set(kcb_packed
    metadata.yaml config.yaml actions.yaml layer.yaml README.md LICENSE hooks actions tools/package)
list(TRANSFORM kcb_packed PREPEND "${PROJECT_SOURCE_DIR}/")

add_custom_command(
    OUTPUT "${PROJECT_BINARY_DIR}/kafka-connect-base_amd64.charm"
    COMMAND "${PROJECT_SOURCE_DIR}/tools/package" "$<TARGET_FILE:kafka-connect-base>"
        "${PROJECT_VERSION}" "${kcb_pinned_prefix}" "${PROJECT_BINARY_DIR}"
    DEPENDS kafka-connect-base ${kcb_packed}
    COMMENT "Putting the charm together"
    VERBATIM)
add_custom_target(package-charm ALL
    DEPENDS "${PROJECT_BINARY_DIR}/kafka-connect-base_amd64.charm")
