#ifndef RELOAD_STORE_TREE_H
#define RELOAD_STORE_TREE_H

#include "reload/wire/cursor.h"

/* A balanced (AVL) tree of byte strings, in the order of memcmp with shorter before longer. For ids
 * of one length that is the order of the ring. Nodes are embedded in what they stand for; the tree
 * allocates nothing. */

struct reload_tree_node {
    struct reload_slice key; /* set before insertion, unchanged while in the tree */
    struct reload_tree_node *left, *right;
    int height;
};

struct reload_tree {
    struct reload_tree_node *root;
    size_t count;
};

int reload_tree_compare(struct reload_slice a, struct reload_slice b);
/* Each answers a node or NULL, in O(log n). */
struct reload_tree_node *reload_tree_find(const struct reload_tree *tree, struct reload_slice key);
struct reload_tree_node *reload_tree_from(const struct reload_tree *tree, struct reload_slice key);
struct reload_tree_node *reload_tree_after(const struct reload_tree *tree, struct reload_slice key);
static inline struct reload_tree_node *reload_tree_first(const struct reload_tree *tree)
{
    return reload_tree_from(tree, reload_slice_of("", 0));
}
void reload_tree_insert(struct reload_tree *tree, struct reload_tree_node *node); /* key is new */
void reload_tree_remove(struct reload_tree *tree, struct reload_tree_node *node); /* is in it */

#endif
