/*
 * crc.h -- CRC-32C (Castagnoli) of messages.
 *
 * Uses the processor's instruction where there is one, else a table: both give the same.
 *
 * Pure. After: RFC 3720, appendix B.4 (test vectors).
 */
#ifndef COMMON_CRC_H
#define COMMON_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from crc; 0 at the start. */
uint32_t crc_extend(uint32_t crc, const void *data, size_t size);
/* The same by the table alone, for the test that compares them. */
uint32_t crc_extend_table(uint32_t crc, const void *data, size_t size);

#endif
