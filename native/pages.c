/* The pages of the program itself. Each that was touched once stays mapped, and counts for every process that has it mapped. */
#include "strake.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

/* The first object is the program. */
static int take_first(struct dl_phdr_info *info, size_t size, void *program)
{
	(void)size;
	*(struct dl_phdr_info *)program = *info;
	return 1;
}

/* Code and constants; what was ever written to, also before it was made read-only, is in other parts. */
static bool is_constant(const ElfW(Phdr) *part)
{
	return part->p_type == PT_LOAD && !(part->p_flags & PF_W);
}

void drop_pages(void)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct dl_phdr_info program;

	malloc_trim(0);
	dl_iterate_phdr(take_first, &program);
	for (unsigned i = 0; i < program.dlpi_phnum; i++) {
		uintptr_t at = program.dlpi_addr + program.dlpi_phdr[i].p_vaddr, start = at & ~(page - 1);

		if (is_constant(&program.dlpi_phdr[i]))
			madvise((void *)start, at + program.dlpi_phdr[i].p_memsz - start, MADV_DONTNEED);
	}
}
