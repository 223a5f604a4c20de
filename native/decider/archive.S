/* The byte code of the decider, as compile.c wrote it: ARCHIVE is the file. */
	.section .rodata
	.global archive, archive_end
archive:
	.incbin ARCHIVE
archive_end:
	.section .note.GNU-stack, "", @progbits
