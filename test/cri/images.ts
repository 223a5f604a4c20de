import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxLayer } from '../fixtures/busybox.ts';
import { type BuiltImage, type ImageSettings, image, type LayerBlob, layer } from '../fixtures/image.ts';
import { type TarEntry, tar } from '../fixtures/tar.ts';
import { ensureProgram } from '../lib/compile.ts';
import { programLayers } from './program-layers.ts';

/** An image under the name that critest asks for, without the registry's host: one registry stands for all of them. */
export interface NamedImage {
  readonly repository: string;
  readonly tags: readonly string[];
  readonly build: () => BuiltImage;
}

/** One of them, by its whole name. */
export const busyboxImage = 'registry.k8s.io/e2e-test-images/busybox:1.29-2';

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const shell: ImageSettings = { Env: [path], Cmd: ['sh'] };

/** What critest calls, and Debian's busybox lacks; and the users of its images. */
const onBusybox: readonly TarEntry[] = [
  { path: 'bin/pgrep', data: '#!/bin/sh\nexec pidof "$@"\n', mode: 0o755 },
  { path: 'bin/ipcs', data: '#!/bin/sh\nexec cat /proc/sysvipc/shm\n', mode: 0o755 },
  {
    path: 'etc/passwd',
    data: 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www:/var/www:/bin/sh\ndefault-user:x:1000:1000:user:/home:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  },
  {
    path: 'etc/group',
    data: 'root:x:0:\nwww-data:x:33:\ndefault-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\nnogroup:x:65534:\n',
  },
];

/** A web server on `port`, as the first process of its container. */
function nginxConfiguration(port: number): TarEntry[] {
  return [
    ...['etc/nginx', 'var/log', 'var/log/nginx', 'var/lib', 'var/lib/nginx', 'run'].map((name): TarEntry => ({ path: name, type: 'dir' })),
    { path: 'var/run', type: 'symlink', link: '../run' },
    { path: 'var/www/index.html', data: '<p>strake\n' },
    {
      path: 'etc/nginx/nginx.conf',
      data: `user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr;
events {}
http {
  access_log /dev/stdout;
  server { listen ${port}; root /var/www; }
}
`,
    },
  ];
}

/** The images of critest, as far as names go: those by digest are their makers' own bytes, and not to be had. */
export async function critestImages(): Promise<readonly NamedImage[]> {
  const programs = await programLayers();
  const busybox = [layer(busyboxLayer()), layer(programs.shell), layer(tar(onBusybox))];
  const nginx = layer(programs.nginx);
  const webServer = (port: number) => () =>
    image([...busybox, nginx, layer(tar(nginxConfiguration(port)))], { Env: [path], Cmd: ['nginx', '-g', 'daemon off;'], StopSignal: 'SIGQUIT' });
  const e2e = (name: string, tag: string, build: () => BuiltImage): NamedImage => ({ repository: `e2e-test-images/${name}`, tags: [tag], build });
  const own = (name: string, tags: readonly string[] = ['latest'], settings: ImageSettings = {}): NamedImage => ({
    repository: `k8s-staging-cri-tools/${name}`,
    tags,
    build: () => image([...busybox, marked(name)], { ...shell, ...settings }),
  });
  return [
    e2e('busybox', '1.29-2', () => image(busybox, shell)),
    e2e('nginx', '1.14-2', webServer(80)),
    e2e('httpd', '2.4.39-4', () => image(busybox, { Env: [path], Cmd: ['sh', '-c', 'echo httpd begins; exec httpd -f -p 80 -h /var/www'] })),
    e2e('nonewprivs', '1.3', () => image([program('effective-uid', 0o4755)], { Entrypoint: ['/effective-uid'] })),
    ...['3.9', '3.10', '3.10.1'].map(
      (tag): NamedImage => ({
        repository: 'pause',
        tags: [tag],
        build: () => image([program('pause', 0o755)], { Env: [path], Entrypoint: ['/pause'], Labels: { version: tag } }),
      }),
    ),
    { repository: 'k8s-staging-cri-tools/hostnet-nginx-amd64', tags: ['latest'], build: webServer(12003) },
    own('test-image-latest'),
    own('test-image-tag', ['test', 'all']),
    own('test-image-1'),
    own('test-image-2'),
    own('test-image-3'),
    own('test-image-tags', ['1', '2', '3']),
    own('test-image-user-uid', ['latest'], { User: '1002' }),
    own('test-image-user-username', ['latest'], { User: 'www-data' }),
    own('test-image-user-uid-group', ['latest'], { User: '1003:users' }),
    own('test-image-user-username-group', ['latest'], { User: 'www-data:100' }),
    own('test-image-predefined-group', ['latest'], { User: '1000' }),
  ];
}

/** A layer with a static program of this directory. */
function program(name: string, mode: number): LayerBlob {
  return layer(tar([{ path: name, data: readFileSync(ensureProgram(join(import.meta.dirname, `${name}.c`))), mode }]));
}

/** A layer that makes an image another one than its neighbours. */
function marked(name: string): LayerBlob {
  return layer(tar([{ path: 'etc/image-name', data: `${name}\n` }]));
}
