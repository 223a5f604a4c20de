/**
 * Takes out of a client's output what differs from run to run and engine to engine without meaning: ids, times, made-up
 * names, the width of columns, the place of the work directory. What is left must be equal.
 */
export function normalise(text: string, work: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(work, '<work>')
    .replace(/\b[0-9a-f]{64}\b/g, '<id>')
    .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12}\b/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4})?( UTC)?/g, '<time>')
    .replace(/\b(Less than a second|About an? (minute|hour)|\d+ (seconds?|minutes?|hours?|days?|weeks?|months?|years?))\b( ago)?/g, '<duration>')
    .replace(/\b[a-z]+_[a-z]+\d?\b(?= *$)/gm, (name) => (inventedName.test(name) ? '<name>' : name))
    .replace(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>')
    .replace(/ {2,}/g, '  ')
    .replace(/[ \t]+$/gm, '');
}

/** Docker's made-up names end in a scientist; ours may have others, so only the form counts. */
const inventedName = /^[a-z]+_[a-z]+\d?$/;
