import { expect, test } from 'bun:test';
import type { ImageProcessConfig } from '../../oci/index.ts';
import { applyChanges } from './changes.ts';

const base: ImageProcessConfig = { Env: ['PATH=/bin', 'A=1'], WorkingDir: '/srv', Labels: { kept: 'yes' }, ExposedPorts: { '1/tcp': {} } };

test.each([
  [['CMD ["a", "b c"]'], { Cmd: ['a', 'b c'] }],
  [['cmd echo $HOME'], { Cmd: ['/bin/sh', '-c', 'echo $HOME'] }],
  [
    ['CMD ["a"', 'SHELL ["/bin/ash", "-ec"]', 'ENTRYPOINT run it'],
    { Cmd: ['/bin/sh', '-c', '["a"'], Shell: ['/bin/ash', '-ec'], Entrypoint: ['/bin/ash', '-ec', 'run it'] },
  ],
  [['ENTRYPOINT []', 'CMD'], { Entrypoint: [], Cmd: [] }],
  [['ENV B=2 C="three four" D=f\\ ive A=9'], { Env: ['PATH=/bin', 'A=9', 'B=2', 'C=three four', 'D=f ive'] }],
  [['ENV OLD some text = here'], { Env: ['PATH=/bin', 'A=1', 'OLD=some text = here'] }],
  [['EXPOSE 80 53/udp 8000-8001'], { ExposedPorts: { '1/tcp': {}, '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {} } }],
  [["LABEL a=1 'b c'='d \"e\"'"], { Labels: { kept: 'yes', a: '1', 'b c': 'd "e"' } }],
  [['ONBUILD RUN x', 'ONBUILD RUN y'], { OnBuild: ['RUN x', 'RUN y'] }],
  [['STOPSIGNAL SIGINT\nUSER 1:2'], { StopSignal: 'SIGINT', User: '1:2' }],
  [['VOLUME ["/a b"]', 'VOLUME /c /d'], { Volumes: { '/a b': {}, '/c': {}, '/d': {} } }],
  [['WORKDIR sub/../dir', 'WORKDIR /x/', 'WORKDIR y'], { WorkingDir: '/x/y' }],
  [['WORKDIR sub/../dir'], { WorkingDir: '/srv/dir' }],
  [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
  [
    ['HEALTHCHECK --interval=1m30s --timeout=2.5s --retries=3 CMD ["probe", "-x"]'],
    { Healthcheck: { Test: ['CMD', 'probe', '-x'], Interval: 90e9, Timeout: 2.5e9, Retries: 3 } },
  ],
  [['HEALTHCHECK CMD probe it'], { Healthcheck: { Test: ['CMD-SHELL', 'probe it'] } }],
  [['', '  '], {}],
])('%j', (changes, wanted) => {
  expect(applyChanges(base, changes)).toEqual({ ...base, ...wanted });
});

test.each([
  ['RUN x', 'RUN is not a valid change command'],
  ['__proto__ x', '__proto__ is not a valid change command'],
  ['USER', 'USER requires at least one argument'],
  ['USER a b', 'USER requires exactly one argument'],
  ['ENV a', 'ENV must have two arguments'],
  ['ENV a=1 b', 'Syntax error - can\'t find = in "b". Must be of the form: name=value'],
  ['LABEL =x', 'LABEL names can not be blank'],
  ['EXPOSE web', 'invalid containerPort: web'],
  ['EXPOSE 9-8', 'invalid containerPort: 9-8'],
  ['SHELL sh -c', 'SHELL requires the arguments to be in JSON form'],
  ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
  ['HEALTHCHECK probe', 'Unknown type "PROBE" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
  ['HEALTHCHECK --interval=soon CMD x', '--interval is not a duration: soon'],
  ['HEALTHCHECK --often=1s CMD x', 'unknown flag: --often'],
])('%s is refused', (change, message) => {
  expect(() => applyChanges(base, [change])).toThrow(message);
});
