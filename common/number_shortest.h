/*
 * number_shortest.h -- the fewest digits that still mean a float or a double, as Java prints them.
 *
 * Pure. After: Double.toString of JDK 19 (JDK-4511638).
 */
#ifndef COMMON_NUMBER_SHORTEST_H
#define COMMON_NUMBER_SHORTEST_H

#include <stdbool.h>

struct number_shortest {
    char digits[24]; /* Without leading or trailing zeros. */
    int exponent;    /* The value is 0.DIGITS x 10^exponent. */
};

/* v > 0 and finite. */
void number_shortest_find(double v, bool is_float, struct number_shortest *out);

#endif
