import { del, empty, get, json, post, type Route } from '../../server/index.ts';

export interface ImageMountsBackend {
  /** Answers the directory. */
  mount(name: string): Promise<string>;
  unmount(name: string): Promise<void>;
  list(): Promise<readonly { readonly id: string; readonly names: readonly string[]; readonly path: string }[]>;
}

/** Not of Docker's API: below our own name. */
export function imageMountRoutes(mounts: ImageMountsBackend): readonly Route[] {
  return [
    get('/strake/image-mounts', async () => json((await mounts.list()).map(({ id, names, path }) => ({ Id: id, Names: names, Path: path })))),
    post('/strake/images/{name:path}/mount', async ({ params: { name = '' } }) => json({ Path: await mounts.mount(name) })),
    del('/strake/images/{name:path}/mount', async ({ params: { name = '' } }) => {
      await mounts.unmount(name);
      return empty();
    }),
  ];
}
