/* Memory for a process that lives for milliseconds: small blocks from one piece that is there already, kept by size when they are free. The C library's
 * own bookkeeping, and a page fault for each page, are a twentieth of a run. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT 16u
#define LARGEST_SMALL 512u
#define CLASSES (LARGEST_SMALL / UNIT)
/* What a run needs; beyond it, pieces come as they are asked for. */
#define PIECE_BYTES (1u << 20)

/* Before each block: its size, in bytes. 16 bytes keep what follows aligned. */
struct header {
	_Alignas(UNIT) size_t size;
};

struct free_block {
	struct free_block *next;
};

static struct free_block *free_blocks[CLASSES + 1];
static uint8_t *piece, *piece_end;

static struct header *header_of(const void *block)
{
	return (struct header *)(uintptr_t)block - 1;
}

static void *take_from_piece(size_t bytes)
{
	void *taken;

	if ((size_t)(piece_end - piece) < bytes) {
		piece = mmap(NULL, PIECE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (piece == MAP_FAILED) {
			piece = piece_end = NULL;
			return NULL;
		}
		piece_end = piece + PIECE_BYTES;
	}
	taken = piece;
	piece += bytes;
	return taken;
}

static bool fits(const JSMallocState *state, size_t more)
{
	size_t limit = state->malloc_limit == 0 ? SIZE_MAX : state->malloc_limit;

	return more <= limit && state->malloc_size <= limit - more;
}

static void *allocate(JSMallocState *state, size_t size)
{
	/* A block that is free holds a pointer: none is empty. */
	size_t rounded = size == 0 ? UNIT : size <= LARGEST_SMALL ? (size + UNIT - 1) / UNIT * UNIT : size, class = rounded / UNIT;
	struct header *header;

	if (rounded > SIZE_MAX / 2 || !fits(state, rounded + sizeof(*header)))
		return NULL;
	if (rounded > LARGEST_SMALL) {
		header = malloc(sizeof(*header) + rounded);
	} else if (free_blocks[class]) {
		void *block = free_blocks[class];

		free_blocks[class] = free_blocks[class]->next;
		header = header_of(block);
	} else {
		header = take_from_piece(sizeof(*header) + rounded);
	}
	if (!header)
		return NULL;
	header->size = rounded;
	state->malloc_count++;
	state->malloc_size += rounded + sizeof(*header);
	return header + 1;
}

static void release(JSMallocState *state, void *block)
{
	struct header *header;

	if (!block)
		return;
	header = header_of(block);
	state->malloc_count--;
	state->malloc_size -= header->size + sizeof(*header);
	if (header->size > LARGEST_SMALL) {
		free(header);
	} else {
		struct free_block *free_block = block;

		free_block->next = free_blocks[header->size / UNIT];
		free_blocks[header->size / UNIT] = free_block;
	}
}

static void *resize(JSMallocState *state, void *block, size_t size)
{
	struct header *header;
	size_t old;
	void *moved;

	if (!block)
		return size == 0 ? NULL : allocate(state, size);
	if (size == 0) {
		release(state, block);
		return NULL;
	}
	header = header_of(block);
	old = header->size;
	if (old <= LARGEST_SMALL && size <= old)
		return block;
	if (old > LARGEST_SMALL && size > LARGEST_SMALL) {
		if (size > SIZE_MAX / 2 || (size > old && !fits(state, size - old)))
			return NULL;
		header = realloc(header, sizeof(*header) + size);
		if (!header)
			return NULL;
		state->malloc_size += size - old;
		header->size = size;
		return header + 1;
	}
	moved = allocate(state, size);
	if (moved) {
		memcpy(moved, block, old < size ? old : size);
		release(state, block);
	}
	return moved;
}

static size_t usable(const void *block)
{
	return header_of(block)->size;
}

const JSMallocFunctions decider_memory = { allocate, release, resize, usable };
