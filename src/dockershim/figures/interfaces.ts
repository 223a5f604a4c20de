import type { InterfaceFigures } from '../../api/cri/index.ts';
import type { ContainerStats } from '../../api/docker/index.ts';

/** By name. */
export function interfacesOf({ networks = {} }: ContainerStats): readonly (readonly [name: string, figures: InterfaceFigures])[] {
  return Object.entries(networks).map(([name, one]) => [
    name,
    {
      rxBytes: one.rx_bytes,
      rxPackets: one.rx_packets,
      rxErrors: one.rx_errors,
      rxDropped: one.rx_dropped,
      txBytes: one.tx_bytes,
      txPackets: one.tx_packets,
      txErrors: one.tx_errors,
      txDropped: one.tx_dropped,
    },
  ]);
}
