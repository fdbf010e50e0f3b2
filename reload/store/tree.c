#include "reload/store/tree.h"

int reload_tree_compare(struct reload_slice a, struct reload_slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

struct reload_tree_node *reload_tree_find(const struct reload_tree *tree, struct reload_slice key)
{
    struct reload_tree_node *n = tree->root;
    while (n) {
        int order = reload_tree_compare(key, n->key);
        if (order == 0)
            return n;
        n = order < 0 ? n->left : n->right;
    }
    return NULL;
}

/* The least node whose key compares with `key` as at least `margin`: 0 for >=, 1 for >. */
static struct reload_tree_node *least(const struct reload_tree *tree, struct reload_slice key,
                                      int margin)
{
    struct reload_tree_node *best = NULL;
    for (struct reload_tree_node *n = tree->root; n;) {
        int order = reload_tree_compare(n->key, key);
        if ((order > 0) - (order < 0) >= margin) {
            best = n;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return best;
}

struct reload_tree_node *reload_tree_from(const struct reload_tree *tree, struct reload_slice key)
{
    return least(tree, key, 0);
}

struct reload_tree_node *reload_tree_after(const struct reload_tree *tree, struct reload_slice key)
{
    return least(tree, key, 1);
}

/* --- balance --- */

static int height(const struct reload_tree_node *n)
{
    return n ? n->height : 0;
}

static void measure(struct reload_tree_node *n)
{
    int l = height(n->left), r = height(n->right);
    n->height = (l > r ? l : r) + 1;
}

static struct reload_tree_node *rotate_right(struct reload_tree_node *n)
{
    struct reload_tree_node *top = n->left;
    n->left = top->right;
    top->right = n;
    measure(n);
    measure(top);
    return top;
}

static struct reload_tree_node *rotate_left(struct reload_tree_node *n)
{
    struct reload_tree_node *top = n->right;
    n->right = top->left;
    top->left = n;
    measure(n);
    measure(top);
    return top;
}

static struct reload_tree_node *balance(struct reload_tree_node *n)
{
    measure(n);
    int lean = height(n->left) - height(n->right);
    if (lean > 1) {
        if (height(n->left->left) < height(n->left->right))
            n->left = rotate_left(n->left);
        return rotate_right(n);
    }
    if (lean < -1) {
        if (height(n->right->right) < height(n->right->left))
            n->right = rotate_right(n->right);
        return rotate_left(n);
    }
    return n;
}

/* --- change; the depth of recursion is the height, 1.44 log2 n at most --- */

static struct reload_tree_node *insert(struct reload_tree_node *at, struct reload_tree_node *node)
{
    if (!at)
        return node;
    if (reload_tree_compare(node->key, at->key) < 0)
        at->left = insert(at->left, node);
    else
        at->right = insert(at->right, node);
    return balance(at);
}

void reload_tree_insert(struct reload_tree *tree, struct reload_tree_node *node)
{
    node->left = node->right = NULL;
    node->height = 1;
    tree->root = insert(tree->root, node);
    tree->count++;
}

/* Takes the least node out of a subtree into *out; answers what is left. */
static struct reload_tree_node *take_least(struct reload_tree_node *at,
                                           struct reload_tree_node **out)
{
    if (!at->left) {
        *out = at;
        return at->right;
    }
    at->left = take_least(at->left, out);
    return balance(at);
}

static struct reload_tree_node *take_out(struct reload_tree_node *at, struct reload_slice key)
{
    int order = reload_tree_compare(key, at->key);
    if (order < 0) {
        at->left = take_out(at->left, key);
        return balance(at);
    }
    if (order > 0) {
        at->right = take_out(at->right, key);
        return balance(at);
    }
    if (!at->right)
        return at->left;
    struct reload_tree_node *next;
    struct reload_tree_node *right = take_least(at->right, &next);
    next->left = at->left;
    next->right = right;
    return balance(next);
}

void reload_tree_remove(struct reload_tree *tree, struct reload_tree_node *node)
{
    tree->root = take_out(tree->root, node->key);
    tree->count--;
}
