/*
 * formula.h -- what math() computes: a text such as "sqrt(a ^ 2 + _)" read once, computed often.
 *
 *   sum := product (('+' | '-') product)*      product := sign (('*' | '/' | '%') sign | sign)*
 *   sign := ('+' | '-')* power                 power := atom ('^' sign)?
 *   atom := number | name | function sign-or-parentheses | '(' sum ')'
 *
 * Binding, names and functions are those of exp4j 0.4.8, which the reference computes with: ^ binds
 * tighter than a sign before it and to the right; two factors side by side are multiplied; a
 * function without parentheses takes all that follows in its group ("sin _ + 1" is sin(_ + 1)).
 *
 * Pure. Ownership: the formula is in the arena given and keeps slices of the text.
 * Limits: FORMULA_TEXT_MAX bytes, FORMULA_DEPTH_MAX nested groups, FORMULA_NAMES_MAX variables.
 * After: exp4j's ShuntingYard; TinkerPop MathStep.
 */
#ifndef ROUTER_PLAN_FORMULA_H
#define ROUTER_PLAN_FORMULA_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"

enum { FORMULA_TEXT_MAX = 4096, FORMULA_DEPTH_MAX = 64, FORMULA_NAMES_MAX = 64 };

enum formula_kind {
    FORMULA_NUMBER,
    FORMULA_NAME,
    FORMULA_ADD,
    FORMULA_SUB,
    FORMULA_MUL,
    FORMULA_DIV,
    FORMULA_MOD,
    FORMULA_POW,
    FORMULA_NEGATE,
    FORMULA_FUNCTION
};

/* In reverse Polish order. */
struct formula_item {
    enum formula_kind kind;
    uint32_t place; /* NAME: of the name; FUNCTION: of the function. */
    double number;
};

struct formula {
    struct formula_item *items;
    uint32_t count;
    uint32_t depth;                        /* Numbers that a run holds at a time. */
    struct slice names[FORMULA_NAMES_MAX]; /* Variables, in the order in which they appear. */
    uint32_t name_count;
};

/* Returns E_OK, E_INVALID (with the column), E_LIMIT. */
int formula_parse(struct arena *arena, struct slice text, struct formula *formula,
                  struct error *err);
/* values: one per name; stack: formula->depth numbers. Returns E_OK, E_EVALUATION (division by
 * zero). */
int formula_compute(const struct formula *formula, const double *values, double *stack, double *out,
                    struct error *err);

#endif
