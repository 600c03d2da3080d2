# The real half of the lab: broker, workers, network. Included by lab/CMakeLists.txt.
add_library(lab-real STATIC
    broker.c
    broker_security.c
    child.c
    cluster.c
    cluster_check.c
    cluster_check_pod.c
    cluster_deployment.c
    cluster_pod.c
    cluster_probe.c
    cluster_quantity.c
    cluster_sandbox.c
    cluster_schema.c
    cluster_secret.c
    cluster_service.c
    cluster_worker.c
    deployer_app.c
    forwarder.c
    java.c
    kafka_app.c
    net.c
)
# unshare(2), memfd_create(2), close_range(2), execvpe(3)
target_compile_definitions(lab-real PRIVATE _GNU_SOURCE)
target_include_directories(lab-real PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(lab-real PUBLIC charm-base PRIVATE lab-model kcb-options m)

if(KCB_TESTS)
    add_subdirectory(${PROJECT_SOURCE_DIR}/tests/unit/lab-cluster
                     ${PROJECT_BINARY_DIR}/tests/unit/lab-cluster)
endif()
