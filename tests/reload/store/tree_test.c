#include "reload/store/tree.h"

#include "tests/reload/store/fixture.h"

#define NODES 2000

struct leaf {
    struct reload_tree_node node;
    uint8_t key[8];
    bool in;
};

static int check_balance(const struct reload_tree_node *n)
{
    if (!n)
        return 0;
    int l = check_balance(n->left), r = check_balance(n->right);
    assert_in_range(l - r + 1, 0, 2);
    if (n->left)
        assert_true(reload_tree_compare(n->left->key, n->key) < 0);
    if (n->right)
        assert_true(reload_tree_compare(n->right->key, n->key) > 0);
    assert_int_equal(n->height, (l > r ? l : r) + 1);
    return n->height;
}

static void keys_compare_as_bytes_and_shorter_comes_first(void **state)
{
    (void)state;
    assert_true(reload_tree_compare(reload_slice_of("a", 1), reload_slice_of("ab", 2)) < 0);
    assert_true(reload_tree_compare(reload_slice_of("\xff", 1), reload_slice_of("a", 1)) > 0);
    assert_true(reload_tree_compare(reload_slice_of("", 0), reload_slice_of("a", 1)) < 0);
    assert_int_equal(0, reload_tree_compare(reload_slice_of(NULL, 0), reload_slice_of("", 0)));
}

/* Random insertions and removals, each state compared with a plain list. */
static void the_tree_holds_what_a_list_would_and_stays_balanced(void **state)
{
    (void)state;
    static struct leaf leaves[NODES];
    struct reload_tree tree = { 0 };
    struct reload_standin_random source;
    struct reload_random random = reload_standin_random(&source, 7);
    size_t in = 0;
    for (uint32_t i = 0; i < NODES; i++) { /* i * 3, so that there is something between them */
        struct reload_writer w = reload_writer_of(leaves[i].key, 8);
        reload_wr_u64(&w, i * 3);
        leaves[i].node.key = reload_slice_of(leaves[i].key, 8);
    }
    for (uint32_t step = 0; step < 20000; step++) {
        uint32_t i = (uint32_t)(reload_random_u64(&random) % NODES);
        if (leaves[i].in)
            reload_tree_remove(&tree, &leaves[i].node);
        else
            reload_tree_insert(&tree, &leaves[i].node);
        leaves[i].in = !leaves[i].in;
        in += leaves[i].in ? 1 : (size_t)-1;
        assert_int_equal(in, tree.count);
        uint32_t probe = (uint32_t)(reload_random_u64(&random) % (3 * NODES + 3));
        uint8_t key[8];
        struct reload_writer w = reload_writer_of(key, 8);
        reload_wr_u64(&w, probe);
        uint32_t from = (probe + 2) / 3, after = probe / 3 + 1;
        while (from < NODES && !leaves[from].in)
            from++;
        while (after < NODES && !leaves[after].in)
            after++;
        struct reload_slice k = { key, 8 };
        bool there = probe % 3 == 0 && probe / 3 < NODES && leaves[probe / 3].in;
        assert_ptr_equal(reload_tree_find(&tree, k), there ? &leaves[probe / 3].node : NULL);
        assert_ptr_equal(reload_tree_from(&tree, k), from < NODES ? &leaves[from].node : NULL);
        assert_ptr_equal(reload_tree_after(&tree, k), after < NODES ? &leaves[after].node : NULL);
        if (step % 100 == 0)
            check_balance(tree.root);
    }
}

static void keys_in_order_do_not_make_a_list_of_it(void **state)
{
    (void)state;
    static struct leaf leaves[4096];
    struct reload_tree tree = { 0 };
    for (uint32_t i = 0; i < 4096; i++) {
        struct reload_writer w = reload_writer_of(leaves[i].key, 8);
        reload_wr_u64(&w, i);
        leaves[i].node.key = reload_slice_of(leaves[i].key, 8);
        reload_tree_insert(&tree, &leaves[i].node);
    }
    assert_in_range(check_balance(tree.root), 12, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_compare_as_bytes_and_shorter_comes_first),
        cmocka_unit_test(the_tree_holds_what_a_list_would_and_stays_balanced),
        cmocka_unit_test(keys_in_order_do_not_make_a_list_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
