#include "lab/skin_base.h"

#include "edge/juju/ports.h"
#include "kcb/layer.h"
#include "kcb/table.h"
#include "lab/yaml.h"

enum { LARGEST_FILE = 1024 * 1024 };

const struct charm_ports *lab_base_reading(void)
{
    static const enum charm_run_kind kind = CHARM_KIND_HOOK;
    static struct charm_ports real;
    real = charmi_ports_real(&kind);
    return &real;
}

static int read_yaml(struct charm_arena *arena, const char *dir, const char *name,
                     const struct charm_value **ret, struct charm_error *reterr)
{
    const struct charm_ports *real = lab_base_reading();
    const char *path = charm_arena_printf(arena, "%s/%s", dir, name);
    const char *text = NULL;
    size_t size = 0;
    struct charm_value *value = NULL;
    int code = real->file_read(real->userdata, arena, path, LARGEST_FILE, &text, &size, reterr);
    if (code == 0) {
        code = lab_yaml_parse(arena, text, size, LAB_YAML_TYPED, &value, reterr);
    }
    *ret = value;
    return code == 0 ? 0 : charm_error_wrap(reterr, "read %s", path);
}

int lab_base_load(struct charm_arena *arena, const char *dir, struct lab_base *ret_base,
                  struct charm_error *reterr)
{
    struct lab_base base = { 0 };
    int code = read_yaml(arena, dir, "metadata.yaml", &base.charm.metadata, reterr);
    if (code == 0) {
        code = read_yaml(arena, dir, "config.yaml", &base.charm.config, reterr);
    }
    if (code == 0) {
        code = read_yaml(arena, dir, "actions.yaml", &base.charm.actions, reterr);
    }
    if (code == 0) {
        code = charmi_charmfiles_load(arena, lab_base_reading(), dir, &base.files, reterr);
    }
    base.charm.name = charm_text(charm_value_get(base.charm.metadata, "name"));
    *ret_base = base;
    return code;
}

void lab_base_link(struct lab_skin *skin)
{
    struct charm_arena *arena = lab_skin_arena(skin);
    const struct charm_layer kcb = KCBI_LAYER_WITH(lab_skin_ports(skin));
    struct charm_layer *own = charm_arena_alloc(arena, sizeof(*own));
    const struct charm_layer **layers = charm_arena_array(arena, 3, sizeof(struct charm_layer *));
    *own = kcb;
    layers[0] = own;
    layers[1] = &kcb_standalone_layer;
    lab_skin_link(skin, layers);
}
