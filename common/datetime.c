#include "common/datetime.h"

#include <assert.h>
#include <inttypes.h>

#define NANOS        1000000000LL
#define DAY_NANOS    (DATETIME_DAY_SECONDS * NANOS)
#define SECONDS_HIGH ((int64_t)31556889864403199) /* +999999999-12-31T23:59:59Z */
#define SECONDS_LOW  ((int64_t)-31557014167219200)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t datetime_days(struct datetime_date date)
{
    int64_t year = (int64_t)date.year - (date.month <= 2);
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct datetime_date datetime_date(int64_t days)
{
    struct datetime_date date;

    days += 719468;
    int64_t era = floor_div(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;

    date.day = (int32_t)(day_of_year - (153 * month + 2) / 5 + 1);
    date.month = (int32_t)(month < 10 ? month + 3 : month - 9);
    date.year = (int32_t)(year_of_era + era * 400 + (date.month <= 2));
    return date;
}

static int32_t month_days(int32_t year, int32_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && is_leap);
}

bool datetime_date_is_valid(struct datetime_date date)
{
    return date.year >= -DATETIME_YEAR_MAX && date.year <= DATETIME_YEAR_MAX && date.month >= 1 &&
           date.month <= 12 && date.day >= 1 && date.day <= month_days(date.year, date.month);
}

struct datetime_date datetime_add_months(struct datetime_date date, int64_t months)
{
    int64_t all = (int64_t)date.year * 12 + date.month - 1 + months;
    int32_t last;

    date.year = (int32_t)floor_div(all, 12);
    date.month = (int32_t)(all - (int64_t)date.year * 12 + 1);
    last = month_days(date.year, date.month);
    date.day = date.day > last ? last : date.day;
    return date;
}

bool datetime_add(const struct value_time *time, int64_t seconds, int64_t nanos,
                  struct value_time *out)
{
    struct value_time sum = *time;
    int64_t all_nanos = nanos % NANOS + time->nanos;

    if (__builtin_add_overflow(seconds, nanos / NANOS + floor_div(all_nanos, NANOS), &seconds) ||
        __builtin_add_overflow(time->seconds, seconds, &sum.seconds)) {
        return false;
    }
    sum.nanos = (int32_t)(all_nanos - floor_div(all_nanos, NANOS) * NANOS);
    if (sum.seconds < SECONDS_LOW || sum.seconds > SECONDS_HIGH) {
        return false;
    }
    *out = sum;
    return true;
}

bool datetime_from_local(struct datetime_date date, int64_t nano_of_day, int32_t offset,
                         struct value_time *out)
{
    if (!datetime_date_is_valid(date) || nano_of_day < 0 || nano_of_day >= DAY_NANOS ||
        offset < -DATETIME_OFFSET_MAX || offset > DATETIME_OFFSET_MAX) {
        return false;
    }
    out->seconds = datetime_days(date) * DATETIME_DAY_SECONDS + nano_of_day / NANOS - offset;
    out->nanos = (int32_t)(nano_of_day % NANOS);
    out->offset = offset;
    return true;
}

struct datetime_date datetime_local(const struct value_time *time, int64_t *nano_of_day)
{
    int64_t seconds = time->seconds + time->offset;
    int64_t days = floor_div(seconds, DATETIME_DAY_SECONDS);

    *nano_of_day = (seconds - days * DATETIME_DAY_SECONDS) * NANOS + time->nanos;
    return datetime_date(days);
}

/* ---- reading ---- */

struct scan {
    const uint8_t *at;
    const uint8_t *end;
};

static bool take(struct scan *scan, char c)
{
    if (scan->at < scan->end && *scan->at == (uint8_t)c) {
        scan->at++;
        return true;
    }
    return false;
}

static bool take_letter(struct scan *scan, char upper)
{
    return take(scan, upper) || take(scan, (char)(upper + ('a' - 'A')));
}

static bool is_digit_next(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

/* Exactly count digits. */
static bool take_digits(struct scan *scan, int count, int32_t *out)
{
    int32_t v = 0;

    for (int i = 0; i < count; i++) {
        if (!is_digit_next(scan)) {
            return false;
        }
        v = v * 10 + (*scan->at++ - '0');
    }
    *out = v;
    return true;
}

/* After the point: one to nine digits. */
static bool take_fraction(struct scan *scan, int32_t *nanos)
{
    int32_t v = 0;
    int count = 0;

    for (; count < 9 && is_digit_next(scan); count++) {
        v = v * 10 + (*scan->at++ - '0');
    }
    if (count == 0) {
        return false;
    }
    for (; count < 9; count++) {
        v *= 10;
    }
    *nanos = v;
    return true;
}

static bool take_year(struct scan *scan, int32_t *year)
{
    bool is_negative = take(scan, '-');
    bool has_sign = is_negative || take(scan, '+');

    if (!take_digits(scan, 4, year)) {
        return false;
    }
    for (int i = 4; has_sign && i < 9 && is_digit_next(scan); i++) {
        *year = *year * 10 + (*scan->at++ - '0');
    }
    *year = is_negative ? -*year : *year;
    return true;
}

static bool take_time(struct scan *scan, int64_t *nano_of_day)
{
    int32_t hour;
    int32_t minute;
    int32_t second = 0;
    int32_t nanos = 0;

    if (!take_digits(scan, 2, &hour) || !take(scan, ':') || !take_digits(scan, 2, &minute)) {
        return false;
    }
    if (take(scan, ':')) {
        if (!take_digits(scan, 2, &second) || (take(scan, '.') && !take_fraction(scan, &nanos))) {
            return false;
        }
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *nano_of_day = ((int64_t)hour * 3600 + minute * 60 + second) * NANOS + nanos;
    return true;
}

static bool take_offset(struct scan *scan, int32_t *offset)
{
    int32_t part[3] = {0, 0, 0};
    bool is_negative;

    *offset = 0;
    if (scan->at == scan->end || take_letter(scan, 'Z')) {
        return true;
    }
    is_negative = take(scan, '-');
    if ((!is_negative && !take(scan, '+')) || !take_digits(scan, 2, &part[0])) {
        return false;
    }
    if (scan->at < scan->end) {
        bool has_colon = take(scan, ':');
        if (!take_digits(scan, 2, &part[1])) {
            return false;
        }
        if (scan->at < scan->end &&
            ((has_colon && !take(scan, ':')) || !take_digits(scan, 2, &part[2]))) {
            return false;
        }
    }
    if (part[1] > 59 || part[2] > 59) {
        return false;
    }
    *offset = (part[0] * 3600 + part[1] * 60 + part[2]) * (is_negative ? -1 : 1);
    return true;
}

bool datetime_parse(struct slice text, struct value_time *out)
{
    struct scan scan = {text.data, text.data + text.size};
    struct datetime_date date = {.day = 1};
    int64_t nano_of_day = 0;
    int32_t offset = 0;

    if (text.size == 0 || !take_year(&scan, &date.year) || !take(&scan, '-') ||
        !take_digits(&scan, 2, &date.month)) {
        return false;
    }
    if (take(&scan, '-') && !take_digits(&scan, 2, &date.day)) {
        return false;
    }
    if (take_letter(&scan, 'T') &&
        (!take_time(&scan, &nano_of_day) || !take_offset(&scan, &offset))) {
        return false;
    }
    return scan.at == scan.end && datetime_from_local(date, nano_of_day, offset, out);
}

/* Digits with a sign, at most 18 of them. */
static bool take_amount(struct scan *scan, int64_t *out)
{
    bool is_negative = take(scan, '-');
    int64_t v = 0;
    int count = 0;

    if (!is_negative) {
        (void)take(scan, '+');
    }
    for (; is_digit_next(scan) && count < 18; count++) {
        v = v * 10 + (*scan->at++ - '0');
    }
    *out = is_negative ? -v : v;
    return count > 0;
}

static bool add_seconds(struct value_time *sum, int64_t amount, int64_t factor)
{
    int64_t seconds;

    return !__builtin_mul_overflow(amount, factor, &seconds) &&
           !__builtin_add_overflow(sum->seconds, seconds, &sum->seconds);
}

/* One amount with its letter, from *unit on: units come in order, each at most once. */
static bool take_part(struct scan *scan, struct value_time *sum, int *unit)
{
    static const char letters[] = {'D', 'H', 'M', 'S'};
    static const int64_t factors[] = {86400, 3600, 60, 1};
    bool is_negative = scan->at < scan->end && *scan->at == '-';
    int32_t nanos = 0;
    int64_t amount;

    if (!take_amount(scan, &amount)) {
        return false;
    }
    bool has_fraction = take(scan, '.');
    if (has_fraction && !take_fraction(scan, &nanos)) {
        return false;
    }
    while (*unit < 4 && !take_letter(scan, letters[*unit])) {
        (*unit)++;
    }
    if (*unit == 4 || (has_fraction && *unit != 3) || !add_seconds(sum, amount, factors[*unit])) {
        return false;
    }
    (*unit)++;
    sum->nanos = is_negative ? -nanos : nanos;
    return true;
}

static bool normalise(struct value_time *span)
{
    if (span->nanos < 0) {
        span->nanos += (int32_t)NANOS;
        return !__builtin_sub_overflow(span->seconds, 1, &span->seconds);
    }
    return true;
}

/* What follows the P: days, then after a T hours, minutes, seconds. */
static bool take_parts(struct scan *scan, struct value_time *sum)
{
    int unit = 0;

    if (scan->at < scan->end && *scan->at != 'T' && *scan->at != 't') {
        if (!take_part(scan, sum, &unit) || unit != 1) {
            return false;
        }
        if (scan->at == scan->end) {
            return true;
        }
    }
    if (!take_letter(scan, 'T')) {
        return false;
    }
    unit = 1;
    do {
        if (!take_part(scan, sum, &unit)) {
            return false;
        }
    } while (scan->at < scan->end);
    return true;
}

bool datetime_parse_span(struct slice text, struct value_time *out)
{
    struct scan scan = {text.data, text.data + text.size};
    struct value_time sum = {0};

    if (text.size == 0) {
        return false;
    }
    bool is_negative = take(&scan, '-');
    if (!is_negative) {
        (void)take(&scan, '+');
    }
    if (!take_letter(&scan, 'P') || !take_parts(&scan, &sum)) {
        return false;
    }
    if (is_negative) {
        sum.nanos = -sum.nanos;
        if (__builtin_sub_overflow(0, sum.seconds, &sum.seconds)) {
            return false;
        }
    }
    *out = sum;
    return normalise(out);
}

/* ---- printing ---- */

void datetime_print_date(struct bytes *out, struct datetime_date date)
{
    if (date.year < 0) {
        bytes_format(out, "-%04" PRId32, -date.year);
    } else {
        bytes_format(out, date.year > 9999 ? "+%" PRId32 : "%04" PRId32, date.year);
    }
    bytes_format(out, "-%02" PRId32 "-%02" PRId32, date.month, date.day);
}

/* Three, six or nine digits. */
static void print_fraction(struct bytes *out, int32_t nanos)
{
    if (nanos % 1000000 == 0) {
        bytes_format(out, ".%03" PRId32, nanos / 1000000);
    } else if (nanos % 1000 == 0) {
        bytes_format(out, ".%06" PRId32, nanos / 1000);
    } else {
        bytes_format(out, ".%09" PRId32, nanos);
    }
}

void datetime_print_time(struct bytes *out, int64_t nano_of_day)
{
    int32_t seconds = (int32_t)(nano_of_day / NANOS);
    int32_t nanos = (int32_t)(nano_of_day % NANOS);

    bytes_format(out, "%02" PRId32 ":%02" PRId32, seconds / 3600, seconds / 60 % 60);
    if (seconds % 60 != 0 || nanos != 0) {
        bytes_format(out, ":%02" PRId32, seconds % 60);
    }
    if (nanos != 0) {
        print_fraction(out, nanos);
    }
}

void datetime_print_offset(struct bytes *out, int32_t offset)
{
    int32_t size = offset < 0 ? -offset : offset;

    if (offset == 0) {
        bytes_u8(out, 'Z');
        return;
    }
    bytes_format(out, "%c%02" PRId32 ":%02" PRId32, offset < 0 ? '-' : '+', size / 3600,
                 size / 60 % 60);
    if (size % 60 != 0) {
        bytes_format(out, ":%02" PRId32, size % 60);
    }
}

void datetime_print(struct bytes *out, const struct value_time *time)
{
    int64_t nano_of_day;
    struct datetime_date date = datetime_local(time, &nano_of_day);

    datetime_print_date(out, date);
    bytes_u8(out, 'T');
    datetime_print_time(out, nano_of_day);
    datetime_print_offset(out, time->offset);
}

void datetime_print_instant(struct bytes *out, const struct value_time *time)
{
    struct value_time utc = {.seconds = time->seconds, .nanos = time->nanos};
    int64_t nano_of_day;
    struct datetime_date date = datetime_local(&utc, &nano_of_day);

    datetime_print_date(out, date);
    bytes_u8(out, 'T');
    datetime_print_time(out, nano_of_day);
    if (nano_of_day % (60 * NANOS) == 0) {
        bytes_append(out, ":00", 3);
    }
    bytes_u8(out, 'Z');
}

void datetime_print_span(struct bytes *out, const struct value_time *span)
{
    int64_t seconds = span->seconds;
    int32_t nanos = span->nanos;

    if (seconds == 0 && nanos == 0) {
        bytes_append(out, "PT0S", 4);
        return;
    }
    if (seconds < 0 && nanos > 0) {
        seconds++; /* Printed towards zero: -1.5 s is kept as -2 s and 0.5. */
    }
    bytes_append(out, "PT", 2);
    if (seconds / 3600 != 0) {
        bytes_format(out, "%" PRId64 "H", seconds / 3600);
    }
    if (seconds / 60 % 60 != 0) {
        bytes_format(out, "%" PRId64 "M", seconds / 60 % 60);
    }
    int64_t rest = seconds % 60;
    if (rest == 0 && nanos == 0) {
        return;
    }
    bool is_below = span->seconds < 0 && nanos > 0;
    bytes_format(out, "%s%" PRId64, is_below && rest == 0 ? "-" : "", rest);
    if (nanos > 0) {
        int32_t shown = is_below ? (int32_t)NANOS - nanos : nanos;
        int digits = 9;
        for (; shown % 10 == 0; digits--) {
            shown /= 10;
        }
        bytes_format(out, ".%0*" PRId32, digits, shown);
    }
    bytes_u8(out, 'S');
}

void datetime_print_legacy_date(struct bytes *out, int64_t ms)
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t seconds = floor_div(ms, 1000);
    int64_t day = floor_div(seconds, DATETIME_DAY_SECONDS);
    int64_t rest = seconds - day * DATETIME_DAY_SECONDS;
    int64_t weekday = day - floor_div(day, 7) * 7;
    struct datetime_date date = datetime_date(day);

    bytes_format(out, "%.3s %.3s %02" PRId32 " %02d:%02d:%02d UTC %04" PRId32, days + weekday * 3,
                 months + (date.month - 1) * 3, date.day, (int)(rest / 3600), (int)(rest / 60 % 60),
                 (int)(rest % 60), date.year);
}

void datetime_print_timestamp(struct bytes *out, int64_t ms)
{
    int64_t seconds = floor_div(ms, 1000);
    int64_t day = floor_div(seconds, DATETIME_DAY_SECONDS);
    int64_t rest = seconds - day * DATETIME_DAY_SECONDS;
    int fraction = (int)(ms - seconds * 1000);
    int digits = 3;

    for (; digits > 1 && fraction % 10 == 0; digits--) {
        fraction /= 10;
    }
    datetime_print_date(out, datetime_date(day));
    bytes_format(out, " %02d:%02d:%02d.%0*d", (int)(rest / 3600), (int)(rest / 60 % 60),
                 (int)(rest % 60), digits, fraction);
}
