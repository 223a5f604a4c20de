/* A byte queue in one piece of memory, which is given back when it is empty: an idle monitor holds none. */
#include "monitor.h"

#include <stdlib.h>
#include <string.h>

int queue_add(struct queue *queue, const void *data, size_t len)
{
	size_t used = queue_length(queue);

	if (queue->end + len > queue->capacity) {
		size_t capacity = queue->capacity ? queue->capacity : 1024;
		uint8_t *grown;

		while (capacity < used + len)
			capacity *= 2;
		grown = malloc(capacity);
		if (!grown)
			return -1;
		if (used > 0)
			memcpy(grown, queue->data + queue->start, used);
		free(queue->data);
		*queue = (struct queue){ grown, 0, used, capacity };
	}
	memcpy(queue->data + queue->end, data, len);
	queue->end += len;
	return 0;
}

void queue_drop(struct queue *queue, size_t len)
{
	queue->start += len;
	if (queue->start == queue->end)
		queue_clear(queue);
}

void queue_clear(struct queue *queue)
{
	free(queue->data);
	*queue = (struct queue){ NULL, 0, 0, 0 };
}
