/** Numbers of rtnetlink that are the same on x86-64 and aarch64. */

/** linux/rtnetlink.h */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
} as const;

/** linux/if_link.h */
export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  TXQLEN: 13,
  OPERSTATE: 16,
  LINKINFO: 18,
  NET_NS_PID: 19,
  STATS64: 23,
  NET_NS_FD: 28,
  LINK_NETNSID: 37,
  NEW_IFINDEX: 49,
} as const;
/** linux/if_link.h */
export const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
/** linux/if_link.h, in IFLA_LINKINFO: kind and data of what it is a port of. */
export const IFLA_INFO_SLAVE = { KIND: 4, DATA: 5 } as const;
/** linux/if_link.h */
export const IFLA_BRPORT_ISOLATED = 33;
/** linux/veth.h */
export const VETH_INFO_PEER = 1;
/** linux/if_link.h */
export const IFLA_MACVLAN_MODE = 1;
/** linux/if_link.h */
export const MACVLAN_MODE = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
/** linux/if_link.h */
export const IFLA_VLAN_ID = 1;
/** linux/if_link.h */
export const IFLA_IPVLAN = { MODE: 1, FLAGS: 2 } as const;
/** linux/if_link.h */
export const IPVLAN_MODE = { l2: 0, l3: 1, l3s: 2 } as const;
/** linux/if_link.h */
export const IPVLAN_F = { bridge: 0, private: 1, vepa: 2 } as const;

/** linux/if.h */
export const IFF_UP = 1;
/** bits/socket.h */
export const AF = { UNSPEC: 0, INET: 2, INET6: 10 } as const;

/** linux/if_addr.h */
export const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4, FLAGS: 8 } as const;
/** linux/if_addr.h */
export const IFA_F_NODAD = 0x02;
/** linux/if_addr.h: not from a router or a lease, which would end. */
export const IFA_F_PERMANENT = 0x80;

/** linux/rtnetlink.h */
export const RTA = { DST: 1, OIF: 4, GATEWAY: 5 } as const;
/** linux/rtnetlink.h */
export const RT = { TABLE_MAIN: 254, SCOPE_UNIVERSE: 0, SCOPE_LINK: 253 } as const;
/** linux/rtnetlink.h: how a route came to be, and what it is. */
export const RTPROT_BOOT = 3;
export const RTN_UNICAST = 1;
