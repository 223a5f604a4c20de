import { expect, test } from 'bun:test';
import { cgroupMountPoints } from './checkpoint.ts';

const hybrid = `30 25 0:28 / /sys/fs/cgroup ro - tmpfs cgroup rw
31 30 0:29 /web /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
32 30 0:30 /web /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw
`;
const unified = '30 25 0:28 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n';

test.each([
  ['hybrid', hybrid, ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified']],
  ['pure v2', unified, []],
])('cgroup mounts that criu does not save: %s', (_name, mountinfo, points) => expect(cgroupMountPoints(mountinfo)).toEqual(points));
