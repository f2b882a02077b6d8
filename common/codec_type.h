/*
 * codec_type.h -- the type codes and flags of GraphBinary 1.0.
 */
#ifndef COMMON_CODEC_TYPE_H
#define COMMON_CODEC_TYPE_H

enum codec_flag {
    FLAG_VALUE = 0,
    FLAG_NULL = 1,
    FLAG_ORDERED = 2 /* Maps, from newer drivers: the order means something. Ours always keep it. */
};

enum codec_type {
    TYPE_CUSTOM = 0x00,
    TYPE_INT = 0x01,
    TYPE_LONG = 0x02,
    TYPE_STRING = 0x03,
    TYPE_DATE = 0x04,
    TYPE_TIMESTAMP = 0x05,
    TYPE_CLASS = 0x06,
    TYPE_DOUBLE = 0x07,
    TYPE_FLOAT = 0x08,
    TYPE_LIST = 0x09,
    TYPE_MAP = 0x0a,
    TYPE_SET = 0x0b,
    TYPE_UUID = 0x0c,
    TYPE_EDGE = 0x0d,
    TYPE_PATH = 0x0e,
    TYPE_PROPERTY = 0x0f,
    TYPE_GRAPH = 0x10,
    TYPE_VERTEX = 0x11,
    TYPE_VPROPERTY = 0x12,
    TYPE_BARRIER = 0x13,
    TYPE_BINDING = 0x14,
    TYPE_BYTECODE = 0x15,
    TYPE_CARDINALITY = 0x16,
    TYPE_COLUMN = 0x17,
    TYPE_DIRECTION = 0x18,
    TYPE_OPERATOR = 0x19,
    TYPE_ORDER = 0x1a,
    TYPE_PICK = 0x1b,
    TYPE_POP = 0x1c,
    TYPE_LAMBDA = 0x1d,
    TYPE_P = 0x1e,
    TYPE_SCOPE = 0x1f,
    TYPE_T = 0x20,
    TYPE_TRAVERSER = 0x21,
    TYPE_DECIMAL = 0x22,
    TYPE_BIGINT = 0x23,
    TYPE_BYTE = 0x24,
    TYPE_BINARY = 0x25,
    TYPE_SHORT = 0x26,
    TYPE_BOOL = 0x27,
    TYPE_TEXTP = 0x28,
    TYPE_STRATEGY = 0x29,
    TYPE_BULKSET = 0x2a,
    TYPE_TREE = 0x2b,
    TYPE_METRICS = 0x2c,
    TYPE_TRAVERSAL_METRICS = 0x2d,
    TYPE_MERGE = 0x2e,
    TYPE_DT = 0x2f,
    TYPE_GTYPE = 0x30,
    TYPE_CHAR = 0x80,
    TYPE_DURATION = 0x81,
    TYPE_DATETIME = 0x88,
    TYPE_NULL = 0xfe
};

/* Names of our custom types (code 0x00); no driver reads these, router/wire writes other things
 * there. */
#define CUSTOM_GEO       "cardea.Geo"
#define CUSTOM_PREDICATE "cardea.P"

#endif
