//! Which addresses belong to the public internet.
//!
//! What is in doubt is not public: a list of what is allowed would be forgotten, a list of what is not would be too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one that anybody in the world may call.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        // This network, private networks, this machine, a link, and what is reserved for multicast and later.
        (0 | 10 | 127 | 224.., ..) | (169, 254, _) | (192, 168, _) => true,
        (172, 16..=31, _) => true,
        // Networks behind a carrier's own translation.
        (100, 64..=127, _) => true,
        // Protocol assignments, documentation, the 6to4 relay, AS112, and benchmarks.
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) => true,
        (192, 88, 99) | (192, 31, 196) | (192, 52, 193) | (192, 175, 48) => true,
        (198, 18 | 19, _) => true,
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let segments = address.segments();
    let inside = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // A network with IPv6 alone reaches IPv4 by these, so they are as public as the address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inside(high, low),
        // Protocol assignments with Teredo and benchmarks, documentation, and 6to4, which holds an IPv4 address.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Everything else that the internet's registries hand out.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}
