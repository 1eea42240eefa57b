package outbound

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// Guard says which addresses may be dialled: everything on the public internet, and what Allow adds to it. It looks at
// the address that is about to be connected to, after the name was resolved, so no name can lead around it.
type Guard struct {
	Allow []netip.Prefix // own networks that may be reached as well, such as 10.20.0.0/16 or 127.0.0.1/32
}

// Control is a net.Dialer's ControlContext that refuses every address that g does not permit.
func (g Guard) Control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &denied{why: "is not an IP address"}
	}
	return g.Check(to.Addr())
}

// Check returns an error that says what would be right, unless addr may be dialled.
func (g Guard) Check(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	for _, p := range g.Allow {
		if p.Contains(addr) {
			return nil
		}
	}
	for _, r := range special {
		if r.prefix.Contains(addr) {
			return &denied{addr, "is " + r.what}
		}
	}
	if addr.Is4() || public6.Contains(addr) {
		return nil
	}
	return &denied{addr, "is not on the public internet"}
}

// denied is an address that the guard does not let through.
type denied struct {
	addr netip.Addr
	why  string
}

// Error says why, and what to do where the address is meant.
func (d *denied) Error() string {
	if !d.addr.IsValid() {
		return "address " + d.why
	}
	return fmt.Sprintf("%s %s: want %s under own_networks in organisation.yaml if Muster may connect there", d.addr, d.why,
		netip.PrefixFrom(d.addr, d.addr.BitLen()))
}

// public6 is all that IANA has opened as global unicast. Whatever lies outside it is denied; special names some of that
// only to have a better word for it.
var public6 = netip.MustParsePrefix("2000::/3")

// special holds what is never on the public internet although it looks like it: the IANA special-purpose registries.
var special = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by a carrier (CGNAT)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"}, // and the metadata service of every cloud
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved for protocols"},
	{netip.MustParsePrefix("192.0.2.0/24"), "reserved for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a 6to4 relay"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "reserved for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "reserved for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "reserved for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("64:ff9b::/96"), "translated IPv4 (NAT64)"},
	{netip.MustParsePrefix("2001::/23"), "reserved for protocols"}, // Teredo among them
	{netip.MustParsePrefix("2001:db8::/32"), "reserved for documentation"},
	{netip.MustParsePrefix("2002::/16"), "tunnelled IPv4 (6to4)"},
	{netip.MustParsePrefix("3fff::/20"), "reserved for documentation"},
}
