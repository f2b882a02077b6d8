#include "common/number_shortest.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool round_trips(const char *text, double v, bool is_float)
{
    if (is_float) {
        float back = strtof(text, NULL);
        float from = (float)v;
        return memcmp(&back, &from, sizeof back) == 0;
    }
    double back = strtod(text, NULL);
    return memcmp(&back, &v, sizeof back) == 0;
}

/* Any decimal of DBL_DIG digits survives the way through a double, so that among normal numbers
 * that many digits, with zeros cut, are the shortest if they round-trip at all. Subnormal ones have
 * fewer digits, and at least two are tried as JDK-4511638 does. */
void number_shortest_find(double v, bool is_float, struct number_shortest *out)
{
    double least = is_float ? (double)FLT_MIN : DBL_MIN;
    int digits = v < least ? 2 : is_float ? FLT_DIG : DBL_DIG;
    char text[40];

    assert(v > 0 && isfinite(v));
    do {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, v);
        digits++;
    } while (!round_trips(text, v, is_float));
    size_t size = 0;
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at != '.') {
            out->digits[size++] = *at;
        }
    }
    while (size > 1 && out->digits[size - 1] == '0') {
        size--;
    }
    out->digits[size] = 0;
    out->exponent = (int)strtol(at + 1, NULL, 10) + 1;
}
