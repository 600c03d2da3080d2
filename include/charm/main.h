/*
 * charm/main.h: the whole program of a charm.
 *
 * `charm_main()` works as hooks/NAME, actions/NAME and dispatch, and explains itself when run by hand (--help,
 * handlers, explain, --version). It returns the process's exit status: 0 done, 1 failed and nothing committed,
 * 2 used wrongly.
 *
 *     int main(int argc, char **argv)
 *     {
 *         return charm_main(argc, argv, CHARM_LAYERS(&my_layer));
 *     }
 *
 * Defined in the target charm-runtime. May include: charm/layer.h.
 */
#ifndef CHARM_MAIN_H
#define CHARM_MAIN_H

#include "charm/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

int charm_main(int argc, char **argv, const struct charm_layer *const *layers);

#ifdef __cplusplus
}
#endif
#endif
