/* Services: ports and addresses, and the table of their forwarder. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "lab/cluster_internal.h"
#include "lab/net.h"

enum {
    FIRST_NODE_PORT = 30000,
    NODE_PORTS = 2768,
};

static const struct charm_value *spec_of(const struct lab_object *object)
{
    return charm_value_get(object->manifest, "spec");
}

static const char *type_of(const struct lab_object *object)
{
    const char *type = charm_text(charm_value_get(spec_of(object), "type"));
    return type[0] == '\0' ? "ClusterIP" : type;
}

static bool has_node_ports(const struct lab_object *object)
{
    return charmi_same(type_of(object), "NodePort") || charmi_same(type_of(object), "LoadBalancer");
}

static size_t port_count(const struct lab_object *object)
{
    const size_t size = charm_value_size(charm_value_get(spec_of(object), "ports"));
    return size < LAB_MOST_SERVICE_PORTS ? size : LAB_MOST_SERVICE_PORTS;
}

/* ---- node ports ---- */

static bool node_port_taken(const struct lab_cluster *cluster, int port)
{
    for (const struct lab_object *it = cluster->objects; it != NULL; it = it->next) {
        for (size_t i = 0; i < LAB_MOST_SERVICE_PORTS; i++) {
            if (it->node_ports[i] == port) {
                return true;
            }
        }
    }
    return !lab_net_is_free(cluster->node, port);
}

/* A free one; where to begin depends on the name, so that a life played again looks the same. */
static int choose_node_port(const struct lab_cluster *cluster, const char *name)
{
    unsigned start = 0;
    for (const char *c = name; *c != '\0'; c++) {
        start = start * 31 + (unsigned char)*c;
    }
    for (unsigned i = 0; i < NODE_PORTS; i++) {
        const int port = FIRST_NODE_PORT + (int)((start + i) % NODE_PORTS);
        if (!node_port_taken(cluster, port)) {
            return port;
        }
    }
    return 0;
}

void lab_service_init(struct lab_cluster *cluster, struct lab_object *object,
                      const struct lab_object *before)
{
    object->service_number = before == NULL ? cluster->service_number++ : before->service_number;
    for (size_t i = 0; has_node_ports(object) && i < port_count(object); i++) {
        const struct charm_value *port =
            charm_value_at(charm_value_get(spec_of(object), "ports"), i);
        const int asked = (int)charm_value_int(charm_value_get(port, "nodePort"), 0);
        const int had = before == NULL ? 0 : before->node_ports[i];
        object->node_ports[i] = asked != 0 ? asked
                                : had != 0 ? had
                                           : choose_node_port(cluster, object->name);
    }
}

/* ---- the forwarder ---- */

static const char *cluster_address(struct charm_arena *arena, const struct lab_object *object)
{
    return lab_net_address(arena, LAB_NET_CLUSTER_IP, object->service_number);
}

static const char *balancer_address(struct charm_arena *arena, const struct lab_object *object)
{
    return lab_net_address(arena, LAB_NET_BALANCER, object->service_number);
}

/* A target port: a number, or the name of a port of the pod. */
static int target_port(const struct charm_value *port, const struct lab_pod *pod)
{
    const struct charm_value *target = charm_value_get(port, "targetPort");
    if (charm_value_kind(target) != CHARM_STRING) {
        return (int)charm_value_int(target, charm_value_int(charm_value_get(port, "port"), 0));
    }
    const struct charm_value *containers =
        charm_value_path(pod->template, "spec", "containers", NULL);
    const struct charm_value *ports = charm_value_get(charm_value_at(containers, 0), "ports");
    for (size_t i = 0; i < charm_value_size(ports); i++) {
        const struct charm_value *item = charm_value_at(ports, i);
        if (charmi_same(charm_text(charm_value_get(item, "name")), charm_text(target))) {
            return (int)charm_value_int(charm_value_get(item, "containerPort"), 0);
        }
    }
    return 0;
}

static void add_backends(const struct lab_cluster *cluster, const struct lab_object *object,
                         const struct charm_value *port, struct charmi_buf *line)
{
    const struct charm_value *selector = charm_value_get(spec_of(object), "selector");
    for (const struct lab_pod *pod = cluster->pods; pod != NULL; pod = pod->next) {
        const struct charm_value *labels =
            charm_value_path(pod->template, "metadata", "labels", NULL);
        if (pod->ready && charm_value_size(selector) > 0 && lab_selects(selector, labels)) {
            charmi_buf_addf(line, " %s:%d", pod->address, target_port(port, pod));
        }
    }
    charmi_buf_add(line, "\n");
}

static void add_lines(const struct lab_cluster *cluster, const struct lab_object *object,
                      size_t index, struct charm_arena *arena, struct charmi_buf *table)
{
    const struct charm_value *port =
        charm_value_at(charm_value_get(spec_of(object), "ports"), index);
    const int number = (int)charm_value_int(charm_value_get(port, "port"), 0);
    charmi_buf_addf(table, "%s %d", cluster_address(arena, object), number);
    add_backends(cluster, object, port, table);
    if (object->node_ports[index] != 0) {
        charmi_buf_addf(table, "%s %d", cluster->node, object->node_ports[index]);
        add_backends(cluster, object, port, table);
    }
    if (charmi_same(type_of(object), "LoadBalancer")) {
        charmi_buf_addf(table, "%s %d", balancer_address(arena, object), number);
        add_backends(cluster, object, port, table);
    }
}

void lab_service_tick(struct lab_cluster *cluster, struct lab_object *object)
{
    struct charm_error error = { 0 };
    struct charm_arena *arena = charm_arena_new();
    if (!lab_child_running(&object->forwarder.child)) {
        lab_forwarder_stop(&object->forwarder);
        const char *log =
            charm_arena_printf(arena, "%s/forwarder-%s.log", cluster->dir, object->name);
        if (lab_forwarder_start(&object->forwarder, log, &error) != 0) {
            lab_cluster_say(cluster, "ERROR", "service %s: %s", object->name, error.text);
        }
    }
    charmi_auto_buf struct charmi_buf table = charmi_buf_init(LAB_FORWARDER_MESSAGE - 1);
    for (size_t i = 0; i < port_count(object); i++) {
        add_lines(cluster, object, i, arena, &table);
    }
    lab_forwarder_set(&object->forwarder, charmi_buf_text(&table));
    charm_arena_free(arena);
}

/* ---- the live object ---- */

static void show_port(struct charm_value *list, const struct charm_value *port, int node_port)
{
    struct charm_value *live = charm_value_append_map(list);
    charm_value_set_text(live, "protocol", "TCP");
    charm_value_update(live, port);
    if (charm_value_get(live, "targetPort") == NULL) {
        charm_value_set(live, "targetPort", charm_value_get(port, "port"));
    }
    if (node_port != 0) {
        charm_value_set_int(live, "nodePort", node_port);
    }
}

static void show_addresses(struct charm_arena *arena, const struct lab_object *object,
                           struct charm_value *spec)
{
    const char *address = cluster_address(arena, object);
    charm_value_set_text(spec, "clusterIP", address);
    charm_value_append_text(charm_value_add_list(spec, "clusterIPs"), address);
    charm_value_set_text(spec, "internalTrafficPolicy", "Cluster");
    charm_value_append_text(charm_value_add_list(spec, "ipFamilies"), "IPv4");
    charm_value_set_text(spec, "ipFamilyPolicy", "SingleStack");
    charm_value_set_text(spec, "sessionAffinity", "None");
    charm_value_set_text(spec, "type", type_of(object));
    if (has_node_ports(object)) {
        charm_value_set_text(spec, "externalTrafficPolicy", "Cluster");
    }
}

void lab_service_show(const struct lab_cluster *cluster, const struct lab_object *object,
                      struct charm_value *live)
{
    (void)cluster;
    struct charm_arena *arena = charm_arena_new();
    struct charm_value *spec = charm_value_add_map(live, "spec");
    show_addresses(arena, object, spec);
    charm_value_update(spec, spec_of(object));
    struct charm_value *ports = charm_value_add_list(spec, "ports");
    for (size_t i = 0; i < port_count(object); i++) {
        show_port(ports, charm_value_at(charm_value_get(spec_of(object), "ports"), i),
                  object->node_ports[i]);
    }
    struct charm_value *status = charm_value_add_map(live, "status");
    struct charm_value *balancer = charm_value_add_map(status, "loadBalancer");
    if (charmi_same(type_of(object), "LoadBalancer")) {
        struct charm_value *ingress =
            charm_value_append_map(charm_value_add_list(balancer, "ingress"));
        charm_value_set_text(ingress, "ip", balancer_address(arena, object));
        charm_value_set_text(ingress, "ipMode", "VIP");
    }
    charm_arena_free(arena);
}
