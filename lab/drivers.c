/* The applications that the lab can play, by name. */
#include "base/text.h"
#include "lab/app.h"

static const struct lab_driver *const drivers[] = {
#ifdef LAB_REAL
    &lab_kafka_driver,
    &lab_deployer_driver,
#endif
    &lab_website_driver,
    NULL,
};

const struct lab_driver *const *lab_drivers(void)
{
    return drivers;
}

const struct lab_driver *lab_driver_find(const char *name)
{
    for (size_t i = 0; drivers[i] != NULL; i++) {
        if (charmi_same(drivers[i]->name, name)) {
            return drivers[i];
        }
    }
    return NULL;
}
