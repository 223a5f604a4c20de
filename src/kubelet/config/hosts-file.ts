import { readFileSync } from 'node:fs';
import type { Pod } from '../pods/pod.ts';
import { hostnameOf } from './sandbox.ts';

const own = `# made by the kubelet
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** The text of a pod's /etc/hosts; in the machine's network it begins with the machine's own. */
export function hostsFile(pod: Pod, podIPs: readonly string[], nodeName: string, machineFile = '/etc/hosts'): string {
  const { hostNetwork, hostAliases = [], subdomain } = pod.spec;
  const hostname = hostnameOf(pod, nodeName);
  const names = subdomain === undefined ? hostname : `${hostname}.${subdomain}.${pod.namespace}.svc ${hostname}`;
  const begin = hostNetwork === true ? readFileSync(machineFile, 'utf8').replace(/\n?$/, '\n') : own + podIPs.map((ip) => `${ip}\t${names}\n`).join('');
  const aliases = hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`);
  return begin + aliases.join('');
}
