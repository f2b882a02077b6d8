#include "common/extended.h"

#include <assert.h>
#include <inttypes.h>

#include "common/datetime.h"

enum { FIELDS_MAX = 5 };

/* A letter a field:
 * y year, i int (4 bytes); m month, d day (1); o offset in seconds (4); f nanoseconds (4);
 * n nanoseconds of the day, s seconds (8); * length (4) and as many bytes. */
struct layout {
    const char *name;
    const char *fields;
};

static const struct layout layouts[] = {
    [EXTENDED_INET_ADDRESS - EXTENDED_INET_ADDRESS] = {"InetAddress", "*"},
    [EXTENDED_INSTANT - EXTENDED_INET_ADDRESS] = {"Instant", "sf"},
    [EXTENDED_LOCAL_DATE - EXTENDED_INET_ADDRESS] = {"LocalDate", "ymd"},
    [EXTENDED_LOCAL_DATETIME - EXTENDED_INET_ADDRESS] = {"LocalDateTime", "ymdn"},
    [EXTENDED_LOCAL_TIME - EXTENDED_INET_ADDRESS] = {"LocalTime", "n"},
    [EXTENDED_MONTH_DAY - EXTENDED_INET_ADDRESS] = {"MonthDay", "md"},
    [EXTENDED_OFFSET_TIME - EXTENDED_INET_ADDRESS] = {"OffsetTime", "no"},
    [EXTENDED_PERIOD - EXTENDED_INET_ADDRESS] = {"Period", "iii"},
    [EXTENDED_YEAR - EXTENDED_INET_ADDRESS] = {"Year", "y"},
    [EXTENDED_YEAR_MONTH - EXTENDED_INET_ADDRESS] = {"YearMonth", "ym"},
    [EXTENDED_ZONED_DATETIME - EXTENDED_INET_ADDRESS] = {"ZonedDateTime", "ymdno"},
    [EXTENDED_ZONE_OFFSET - EXTENDED_INET_ADDRESS] = {"ZoneOffset", "o"},
};

bool extended_is_known(uint8_t type)
{
    size_t at = (size_t)type - EXTENDED_INET_ADDRESS;

    return type >= EXTENDED_INET_ADDRESS && at < sizeof layouts / sizeof layouts[0] &&
           layouts[at].name != NULL;
}

static const struct layout *layout_of(uint8_t type)
{
    assert(extended_is_known(type));
    return &layouts[type - EXTENDED_INET_ADDRESS];
}

const char *extended_name(uint8_t type)
{
    return layout_of(type)->name;
}

static int64_t read_field(struct reader *reader, char field)
{
    if (field == 'm' || field == 'd') {
        return reader_u8(reader);
    }
    if (field == 'n' || field == 's') {
        return (int64_t)reader_u64(reader);
    }
    return (int32_t)reader_u32(reader);
}

static bool is_valid(char field, int64_t v)
{
    switch (field) {
    case 'y':
        return v >= -DATETIME_YEAR_MAX && v <= DATETIME_YEAR_MAX;
    case 'm':
        return v >= 1 && v <= 12;
    case 'd':
        return v >= 1 && v <= 31;
    case 'o':
        return v >= -DATETIME_OFFSET_MAX && v <= DATETIME_OFFSET_MAX;
    case 'f':
        return v >= 0 && v <= 999999999;
    case 'n':
        return v >= 0 && v < 86400 * (int64_t)1000000000;
    case 's':
        return v >= -31557014167219200 && v <= 31556889864403199;
    default:
        return true;
    }
}

/* False if something is missing or out of range. */
static bool read_fields(struct reader *reader, const struct layout *layout, int64_t *out)
{
    for (size_t i = 0; layout->fields[i] != 0; i++) {
        out[i] = read_field(reader, layout->fields[i]);
        if (reader->is_bad || !is_valid(layout->fields[i], out[i])) {
            return false;
        }
    }
    if (layout->fields[0] == 'y' && layout->fields[1] == 'm' && layout->fields[2] == 'd') {
        struct datetime_date date = {(int32_t)out[0], (int32_t)out[1], (int32_t)out[2]};
        return datetime_date_is_valid(date);
    }
    return true;
}

struct slice extended_take(struct reader *reader, uint8_t type)
{
    const struct layout *layout = layout_of(type);
    struct reader start = *reader;
    int64_t fields[FIELDS_MAX];

    if (!read_fields(reader, layout, fields)) {
        reader_spoil(reader);
        return (struct slice){0};
    }
    if (type == EXTENDED_INET_ADDRESS) {
        if (fields[0] != 4 && fields[0] != 16) {
            reader_spoil(reader);
        }
        (void)reader_take(reader, (size_t)fields[0]);
    }
    if (reader->is_bad) {
        return (struct slice){0};
    }
    return reader_take(&start, (size_t)(reader->at - start.at));
}

static void fields_of(uint8_t type, struct slice body, int64_t *out)
{
    struct reader reader;

    reader_init(&reader, body);
    bool is_whole = read_fields(&reader, layout_of(type), out);
    assert(is_whole);
}

int extended_order(uint8_t type, struct slice a, struct slice b)
{
    const struct layout *layout = layout_of(type);
    int64_t x[FIELDS_MAX];
    int64_t y[FIELDS_MAX];

    fields_of(type, a, x);
    fields_of(type, b, y);
    for (size_t i = 0; layout->fields[i] != 0; i++) {
        if (x[i] != y[i]) {
            return x[i] > y[i] ? 1 : -1;
        }
    }
    return type == EXTENDED_INET_ADDRESS ? slice_compare(a, b) : 0;
}

static void print_address(struct bytes *out, struct slice body)
{
    const uint8_t *at = body.data + 4;

    bytes_u8(out, '/');
    if (body.size == 8) {
        bytes_format(out, "%d.%d.%d.%d", at[0], at[1], at[2], at[3]);
        return;
    }
    for (int i = 0; i < 16; i += 2) {
        bytes_format(out, "%s%x", i == 0 ? "" : ":", at[i] << 8 | at[i + 1]);
    }
}

static void print_period(struct bytes *out, const int64_t *f)
{
    static const char letters[] = "YMD";

    bytes_u8(out, 'P');
    if (f[0] == 0 && f[1] == 0 && f[2] == 0) {
        bytes_append(out, "0D", 2);
    }
    for (int i = 0; i < 3; i++) {
        if (f[i] != 0) {
            bytes_format(out, "%" PRId64 "%c", f[i], letters[i]);
        }
    }
}

static void print_year(struct bytes *out, int64_t year, bool is_alone)
{
    if (is_alone) {
        bytes_format(out, "%" PRId64, year);
    } else if (year < 0) {
        bytes_format(out, "-%04" PRId64, -year);
    } else {
        bytes_format(out, "%04" PRId64, year);
    }
}

void extended_print(struct bytes *out, uint8_t type, struct slice body)
{
    int64_t f[FIELDS_MAX] = {0};
    struct value_time time = {0};

    fields_of(type, body, f);
    struct datetime_date date = {(int32_t)f[0], (int32_t)f[1], (int32_t)f[2]};
    switch (type) {
    case EXTENDED_INET_ADDRESS:
        print_address(out, body);
        break;
    case EXTENDED_INSTANT:
        time.seconds = f[0];
        time.nanos = (int32_t)f[1];
        datetime_print_instant(out, &time);
        break;
    case EXTENDED_LOCAL_DATE:
        datetime_print_date(out, date);
        break;
    case EXTENDED_LOCAL_DATETIME:
    case EXTENDED_ZONED_DATETIME:
        datetime_print_date(out, date);
        bytes_u8(out, 'T');
        datetime_print_time(out, f[3]);
        if (type == EXTENDED_ZONED_DATETIME) {
            datetime_print_offset(out, (int32_t)f[4]);
        }
        break;
    case EXTENDED_LOCAL_TIME:
        datetime_print_time(out, f[0]);
        break;
    case EXTENDED_MONTH_DAY:
        bytes_format(out, "--%02" PRId64 "-%02" PRId64, f[0], f[1]);
        break;
    case EXTENDED_OFFSET_TIME:
        datetime_print_time(out, f[0]);
        datetime_print_offset(out, (int32_t)f[1]);
        break;
    case EXTENDED_PERIOD:
        print_period(out, f);
        break;
    case EXTENDED_YEAR:
        print_year(out, f[0], true);
        break;
    case EXTENDED_YEAR_MONTH:
        print_year(out, f[0], false);
        bytes_format(out, "-%02" PRId64, f[1]);
        break;
    default:
        assert(type == EXTENDED_ZONE_OFFSET);
        datetime_print_offset(out, (int32_t)f[0]);
        break;
    }
}
