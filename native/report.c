/* The REPORT of a program (docs/CONTRACTS.md, "Connection protocol"). */
#include "monitor.h"

#include <stdlib.h>
#include <string.h>

#define REPORT_FIXED 32u /* everything but the detail and the durations */

uint8_t *report_make(const struct run *run, const struct failure *failed, enum report_phase phase, uint32_t *len)
{
	uint32_t detail = failed->index == NO_OP ? 0 : (uint32_t)strnlen(failed->detail, DETAIL_MAX);
	uint32_t timed = run->ns ? run->nops : 0;
	uint8_t *p = malloc(REPORT_FIXED + detail + 8 * timed);

	if (!p)
		return NULL;
	*len = REPORT_FIXED + detail + 8 * timed;
	put_u32(p, failed->index);
	put_u32(p + 4, failed->index == NO_OP ? 0 : (uint32_t)failed->err);
	put_u32(p + 8, (uint32_t)run->report_pid);
	put_u64(p + 12, run->init_start);
	put_u32(p + 20, (uint32_t)phase);
	put_u32(p + 24, detail);
	memcpy(p + 28, failed->detail, detail);
	put_u32(p + 28 + detail, timed);
	for (uint32_t i = 0; i < timed; i++)
		put_u64(p + REPORT_FIXED + detail + 8 * i, run->ns[i]);
	return p;
}

int report_send(struct run *run, enum report_phase phase)
{
	uint32_t len = 0;
	uint8_t *report = report_make(run, &run->failed, phase, &len);
	int result = -1;

	/* Once the loop runs, the connection is a client like others: nothing may wait for it. */
	if (report && monitor_looping(run))
		result = clients_report(run->monitor, report, len);
	else if (report && run->conn >= 0)
		result = conn_send(run->conn, FRAME_REPORT, report, len);
	free(report);
	return result;
}
