/*
 * extended.h -- the rare types of GraphBinary 1 that are kept as they came: EXTENDED values.
 *
 * value.flag is the type code, value.bytes the body: LocalDate, Period, ZoneOffset and the like.
 * They are stored and given back byte for byte; only printing and ordering look inside.
 *
 * Pure. After: TinkerPop docs/src/dev/io/graphbinary.asciidoc, extended types; toString() of
 * java.time.
 */
#ifndef COMMON_EXTENDED_H
#define COMMON_EXTENDED_H

#include "common/reader.h"

enum extended_type {
    EXTENDED_INET_ADDRESS = 0x82,
    EXTENDED_INSTANT,
    EXTENDED_LOCAL_DATE,
    EXTENDED_LOCAL_DATETIME,
    EXTENDED_LOCAL_TIME,
    EXTENDED_MONTH_DAY,
    EXTENDED_OFFSET_TIME = 0x89,
    EXTENDED_PERIOD,
    EXTENDED_YEAR,
    EXTENDED_YEAR_MONTH,
    EXTENDED_ZONED_DATETIME,
    EXTENDED_ZONE_OFFSET
};

bool extended_is_known(uint8_t type);
/* Java's simple class name, such as "LocalDate". */
const char *extended_name(uint8_t type);
/* Takes one body off the reader; spoils it if a field is out of range. */
struct slice extended_take(struct reader *reader, uint8_t type);
/* Of two bodies of one type. */
int extended_order(uint8_t type, struct slice a, struct slice b);
void extended_print(struct bytes *out, uint8_t type, struct slice body);

#endif
