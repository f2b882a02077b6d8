#include "router/gremlin/syntax.h"

#include <assert.h>

struct node *syntax_node(struct parse *parse, enum node_kind kind, const struct node *where)
{
    struct node *node = ARENA_NEW(parse->arena, struct node);

    assert(where != NULL);
    node->kind = kind;
    node->line = where->line;
    node->column = where->column;
    return node;
}

struct node *syntax_add(struct node *parent, struct node *child)
{
    assert(parent != NULL);
    assert(child != NULL);
    assert(child->next == NULL);
    if (parent->last == NULL) {
        parent->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->count++;
    return parent;
}
