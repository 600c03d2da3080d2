/*
 * kafka-connect-base: the program that Juju runs for every hook and action of the base charm.
 */
#include "charm/main.h"
#include "kcb/layer.h"

int main(int argc, char **argv)
{
    return charm_main(argc, argv, CHARM_LAYERS(&kcb_layer, &kcb_standalone_layer));
}
