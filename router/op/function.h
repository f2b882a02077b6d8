/*
 * function.h -- steps that make one value of one value: concat(), asNumber(), merge() ...
 *
 *   function.def: step -> function       function.c: the operator, arguments for a whole batch
 *   function_text.c   strings            function_list.c     lists, sets, maps
 *   function_number.c numbers, booleans  function_date.c     moments
 *
 * A function sees a value and its arguments, nothing else. Arguments are constants, or what a
 * traversal gave for this traverser.
 *
 * Limits: FUNCTION_ITEMS_MAX, FUNCTION_TEXT_MAX, PLAN_ARGS_MAX arguments, the query's memory.
 * Pure. New values are in the arena; E_EVALUATION with the reference's text where the suites look
 * at it. After: TinkerPop 3.8 docs/src/dev/provider/gremlin-semantics.asciidoc and the steps of
 * those names in gremlin-core.
 */
#ifndef ROUTER_OP_FUNCTION_H
#define ROUTER_OP_FUNCTION_H

#include "common/error.h"
#include "router/op/items.h"
#include "router/plan/params.h"

enum {
    FUNCTION_ITEMS_MAX = 1 << 20, /* Of a list that one step sees or makes. */
    FUNCTION_TEXT_MAX = 16 << 20  /* Bytes of a text that one step makes: no property holds more. */
};

struct function_call {
    struct arena *arena;
    const struct plan_function *plan;
    const struct value *args[PLAN_ARGS_MAX];
    struct error *err;
};

typedef int (*function_fn)(const struct function_call *call, const struct value *value,
                           struct value *out);

/* The simple name of the Java class that the reference holds such a value in, for its texts. */
const char *function_class_name(const struct value *value);
/* "concat": the step's name. */
const char *function_step_name(const struct function_call *call);
/* How many bytes a text may have that is made with this arena's memory. */
size_t function_text_room(const struct arena *arena);
/* How many rows of a turn the value is worth: for op_charge(). */
uint64_t function_weight(const struct value *value);
/* E_LIMIT for more items than FUNCTION_ITEMS_MAX, or when the query has used up its memory. */
int function_room(const struct function_call *call, uint64_t items);

/* The items of what comes to a step of lists; E_EVALUATION for null and what has no items. */
int function_list_items(const struct function_call *call, const struct value *value,
                        struct items *items);
/* The items one by one, each as often as it is there; E_LIMIT for too many. */
int function_list_flat(const struct function_call *call, const struct items *items,
                       const struct value **flat, uint32_t *count);

int function_text_concat(const struct function_call *call, const struct value *value,
                         struct value *out);
int function_text_of(const struct function_call *call, const struct value *value,
                     struct value *out); /* asString() */
int function_text_change(const struct function_call *call, const struct value *value,
                         struct value *out); /* length, toUpper, trim, replace, split ... */
int function_text_conjoin(const struct function_call *call, const struct value *value,
                          struct value *out);

int function_list_reverse(const struct function_call *call, const struct value *value,
                          struct value *out);
int function_list_index(const struct function_call *call, const struct value *value,
                        struct value *out);
int function_list_with(const struct function_call *call, const struct value *value,
                       struct value *out); /* merge, difference, combine, product ... */

int function_number_of(const struct function_call *call, const struct value *value,
                       struct value *out); /* asNumber() */
int function_number_bool(const struct function_call *call, const struct value *value,
                         struct value *out); /* asBool() */

int function_date_of(const struct function_call *call, const struct value *value,
                     struct value *out); /* asDate() */
int function_date_add(const struct function_call *call, const struct value *value,
                      struct value *out);
int function_date_diff(const struct function_call *call, const struct value *value,
                       struct value *out);

#endif
