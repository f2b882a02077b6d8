/*
 * datetime.h -- moments and spans as text, in Java's forms, and the calendar behind them.
 *
 * Proleptic Gregorian calendar; years -999,999,999 .. 999,999,999; offsets up to 18 hours.
 * A moment is struct value_time: UTC seconds, nanoseconds, and the offset it was given with.
 *
 * Pure. After: java.time OffsetDateTime and Duration; days: Hinnant, chrono-Compatible Low-Level
 * Date Algorithms.
 */
#ifndef COMMON_DATETIME_H
#define COMMON_DATETIME_H

#include "common/value.h"

enum {
    DATETIME_YEAR_MAX = 999999999,
    DATETIME_OFFSET_MAX = 18 * 3600,
    DATETIME_DAY_SECONDS = 86400
};

struct datetime_date {
    int32_t year;
    int32_t month; /* 1..12. */
    int32_t day;   /* 1..31. */
};

/* Days since 1970-01-01 of a valid date, and back. */
int64_t datetime_days(struct datetime_date date);
struct datetime_date datetime_date(int64_t days);
bool datetime_date_is_valid(struct datetime_date date);
/* The date `months` later (or earlier), its day cut to that month's last. */
struct datetime_date datetime_add_months(struct datetime_date date, int64_t months);

/* Adds a span; false if the sum is out of range. */
bool datetime_add(const struct value_time *time, int64_t seconds, int64_t nanos,
                  struct value_time *out);
/* From a local date, nanoseconds of its day and an offset; false if something is out of range. */
bool datetime_from_local(struct datetime_date date, int64_t nano_of_day, int32_t offset,
                         struct value_time *out);
/* The opposite. */
struct datetime_date datetime_local(const struct value_time *time, int64_t *nano_of_day);

/* YYYY-MM, YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS[.f]] with Z, +HH, +HH:MM, +HHMM, +HH:MM:SS, +HHMMSS or
 * nothing, which is UTC. False on any other form. */
bool datetime_parse(struct slice text, struct value_time *out);
/* As OffsetDateTime.toString(): 2007-12-03T10:15:30+01:00. */
void datetime_print(struct bytes *out, const struct value_time *time);
/* As Instant.toString(): UTC, seconds always there. The offset is not looked at. */
void datetime_print_instant(struct bytes *out, const struct value_time *time);
/* As Duration.parse() and toString(): PT8H6M12.345S. */
bool datetime_parse_span(struct slice text, struct value_time *out);
void datetime_print_span(struct bytes *out, const struct value_time *span);

/* Pieces, as LocalDate, LocalTime and ZoneOffset print them. */
void datetime_print_date(struct bytes *out, struct datetime_date date);
void datetime_print_time(struct bytes *out, int64_t nano_of_day);
void datetime_print_offset(struct bytes *out, int32_t offset);
/* java.util.Date: Thu Dec 14 16:14:36 UTC 2016. java.sql.Timestamp: 2016-12-14 16:14:36.295. */
void datetime_print_legacy_date(struct bytes *out, int64_t ms);
void datetime_print_timestamp(struct bytes *out, int64_t ms);

#endif
