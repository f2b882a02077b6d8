#include "common/predicate.h"
#include "router/gremlin/check.h"
#include "router/gremlin/report.h"
#include "router/gremlin/step.h"

#include <assert.h>

#define NAME(link) (int)(link)->text.size, (const char *)(link)->text.data

static bool is_word(const struct node *link, const char *text)
{
    return slice_equal(link->text, slice_text(text));
}

/* AND and OR are called on a predicate, not by name. */
static enum predicate_test find_test(const struct node *link)
{
    enum predicate_test test = predicate_find(link->text);

    return test == PREDICATE_AND || test == PREDICATE_OR ? PREDICATE_TEST_COUNT : test;
}

bool check_predicate_is(const struct node *chain)
{
    /* not() is a step of traversals as well: what it is called with decides. */
    while (chain->kind == NODE_CHAIN) {
        const struct node *head = chain->first;
        if (is_word(head, "P") || is_word(head, "TextP")) {
            return true;
        }
        if (!head->has_args || find_test(head) == PREDICATE_TEST_COUNT) {
            return false;
        }
        if (find_test(head) != PREDICATE_NOT || head->count != 1) {
            return find_test(head) != PREDICATE_NOT;
        }
        chain = head->first;
    }
    return false;
}

static int wrong_argument(struct check *check, const struct node *link, const char *what)
{
    return report_at(check->err, link, E_SYNTAX, "%.*s() takes %s", NAME(link), what);
}

static int check_operands(struct check *check, const struct node *link, enum predicate_test test,
                          const struct value *args)
{
    bool is_pair =
        test == PREDICATE_INSIDE || test == PREDICATE_OUTSIDE || test == PREDICATE_BETWEEN;

    if (test == PREDICATE_WITHIN || test == PREDICATE_WITHOUT) {
        return E_OK;
    }
    if (is_pair && link->count != 2) {
        return wrong_argument(check, link, "two arguments");
    }
    if (!is_pair && link->count != 1) {
        return wrong_argument(check, link, "one argument");
    }
    if (predicate_is_text(test) && args[0].kind != VALUE_STRING) {
        return wrong_argument(check, link, "a string");
    }
    if (test == PREDICATE_NOT && args[0].kind != VALUE_PREDICATE) {
        return wrong_argument(check, link, "a predicate");
    }
    if (test == PREDICATE_TYPE_OF && args[0].kind != VALUE_STRING &&
        (args[0].kind != VALUE_ENUM || args[0].flag != ENUM_GTYPE)) {
        return wrong_argument(check, link, "a type such as GType.INT, or its name");
    }
    return E_OK;
}

static int test_value(struct check *check, const struct node *link, int depth, struct value *out)
{
    enum predicate_test test = find_test(link);
    struct value *args;

    if (test == PREDICATE_TEST_COUNT || !link->has_args) {
        return report_at(check->err, link, E_SYNTAX, "there is no predicate %.*s()", NAME(link));
    }
    int rc = check_items(check, link, depth + 1,
                         test == PREDICATE_TYPE_OF ? CHECK_GTYPE : CHECK_ANY, &args);
    if (rc == E_OK) {
        rc = check_operands(check, link, test, args);
    }
    if (rc != E_OK) {
        return rc;
    }
    *out = test == PREDICATE_NOT
               ? builder_connective(check->arena, PREDICATE_NOT, args, 1)
               : builder_predicate(check->arena, (uint8_t)test, args, link->count);
    return E_OK;
}

static int join_operand(struct check *check, const struct node *link, int depth, struct value *out)
{
    if (link->count != 1) {
        return wrong_argument(check, link, "one predicate");
    }
    int rc = check_value(check, link->first, depth + 1, CHECK_ANY, out);
    if (rc == E_OK && out->kind != VALUE_PREDICATE) {
        rc = wrong_argument(check, link, "a predicate");
    }
    return rc;
}

static bool is_join(const struct node *link)
{
    return (is_word(link, "and") || is_word(link, "or")) && link->has_args;
}

/* a.and(b).and(c) is one AND of three, as the drivers for Java send it. All calls of one name in a
 * row are joined at once, so that the work is linear in them; `*at` becomes the last one. */
static int join_run(struct check *check, const struct node **at, int depth, struct value *out)
{
    const struct node *first = *at;
    enum predicate_test test = is_word(first, "and") ? PREDICATE_AND : PREDICATE_OR;
    bool is_flat = out->predicate->test == test;
    uint32_t count = is_flat ? out->predicate->child_count : 1;
    size_t room = count;

    for (const struct node *link = first;
         link != NULL && is_join(link) && slice_equal(link->text, first->text); link = link->next) {
        *at = link;
        room++;
    }
    struct value *children = arena_array(check->arena, room, sizeof *children);
    children[0] = *out;
    for (uint32_t i = 0; is_flat && i < count; i++) {
        children[i] = *out;
        children[i].predicate = &out->predicate->children[i];
    }
    for (const struct node *link = first; count < room; link = link->next) {
        int rc = join_operand(check, link, depth, &children[count]);
        if (rc != E_OK) {
            return rc;
        }
        count++;
    }
    *out = builder_connective(check->arena, (uint8_t)test, children, count);
    return E_OK;
}

int check_predicate(struct check *check, const struct node *link, int depth, struct value *out)
{
    int rc = test_value(check, link, depth, out);

    assert(rc != E_OK || out->kind == VALUE_PREDICATE);
    for (link = link->next; rc == E_OK && link != NULL; link = link->next) {
        if (is_word(link, "negate") && link->has_args && link->count == 0) {
            out->predicate = predicate_negate(check->arena, out->predicate);
        } else if (is_join(link)) {
            rc = join_run(check, &link, depth, out);
        } else {
            rc =
                report_at(check->err, link, E_SYNTAX,
                          "after a predicate come and(), or() or negate(), not %.*s()", NAME(link));
        }
    }
    return rc;
}
