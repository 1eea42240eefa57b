package asset_test

import (
	"testing"

	"pgregory.net/rapid"

	"muster/internal/asset"
)

func TestWhichVersionIsOlder(t *testing.T) {
	for _, tt := range []struct {
		older, newer string
	}{
		{"16.4", "16.5"},
		{"16.9", "16.10"},
		{"9.2.1", "10"},
		{"16", "16.0.1"},
		{"17rc1", "17"},
		{"17beta2", "17rc1"},
		{"2.0.0-alpha.1", "2.0.0"},
		{"1.1.1", "1.1.1k"},
		{"1.1.1k", "1.1.1n"},
		{"1.1.1k", "1.1.2"},
		{"10.11.8-MariaDB", "10.11.9"},
		{"10.11.8", "10.11.8-MariaDB"},
		{"v1.9", "1.10"},
		{"2026.9", "2026.11"},
	} {
		if got := asset.CompareVersions(tt.older, tt.newer); got != -1 {
			t.Errorf("%s before %s: got %d, want -1", tt.older, tt.newer, got)
		}
		if got := asset.CompareVersions(tt.newer, tt.older); got != 1 {
			t.Errorf("%s after %s: got %d, want 1", tt.newer, tt.older, got)
		}
	}
	for _, same := range [][2]string{{"16", "16.0"}, {"v16.4", "16.4"}, {"16.04", "16.4"}, {"1.0-RC1", "1.0rc1"}, {"", ""}} {
		if got := asset.CompareVersions(same[0], same[1]); got != 0 {
			t.Errorf("%s and %s: got %d, want 0", same[0], same[1], got)
		}
	}
}

// Versions have an order, whatever they are.
func TestVersionsHaveAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.StringMatching(`[0-9]{0,3}([.-]?([0-9]{1,2}|rc|beta|k|x)){0,4}`)
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		ab, ba := asset.CompareVersions(a, b), asset.CompareVersions(b, a)
		if ab != -ba || asset.CompareVersions(a, a) != 0 {
			t.Fatalf("%q and %q: %d and %d", a, b, ab, ba)
		}
		if bc := asset.CompareVersions(b, c); ab <= 0 && bc <= 0 && asset.CompareVersions(a, c) > 0 {
			t.Fatalf("%q before %q before %q, and %q after %q", a, b, c, a, c)
		}
	})
}

func TestRangesOfVersions(t *testing.T) {
	for _, tt := range []struct {
		in      asset.Range
		version string
		want    bool
	}{
		{"16.4", "16.4", true},
		{"=16.4", "16.4.0", true},
		{"16.4", "16.40", false},
		{"<16.5", "16.4", true},
		{"<16.5", "16.5", false},
		{"<16.5", "16.5rc1", true},
		{"<=16.5", "16.5", true},
		{">=16 <16.5", "16.4", true},
		{">=16 <16.5", "15.9", false},
		{">9.2.1", "9.2.1", false},
		{">9.2.1", "9.2.2", true},
	} {
		if got := tt.in.Has(tt.version); got != tt.want {
			t.Errorf("%s has %s: got %t, want %t", tt.in, tt.version, got, tt.want)
		}
	}
	for in, want := range map[asset.Range]bool{"16.4": true, "<16.5": true, ">= 16": false, "": false, "<": false, "=>16": false, "<>16": false, ">=16 <": false, "any": true} {
		if got := in.Valid(); got != want {
			t.Errorf("%q: valid %t, want %t", in, got, want)
		}
	}
}

func TestWhatANoticeConcerns(t *testing.T) {
	n := asset.Notice{Vendor: "skyhost", Product: "SkyHost WAF", Versions: []asset.Range{"<9", ">=9.2 <9.3"}}
	vendor := &asset.Named{ID: "skyhost", Name: "SkyHost"}
	for _, tt := range []struct {
		what string
		a    asset.Asset
		want bool
	}{
		{"in the second range", asset.Asset{Vendor: vendor, Product: "skyhost waf", Version: "9.2.1"}, true},
		{"between the ranges", asset.Asset{Vendor: vendor, Product: "SkyHost WAF", Version: "9.1"}, false},
		{"of no known version", asset.Asset{Vendor: vendor, Product: "SkyHost WAF"}, true},
		{"of no vendor", asset.Asset{Product: "SkyHost WAF", Version: "8.4"}, true},
		{"of another vendor", asset.Asset{Vendor: &asset.Named{ID: "other", Name: "Other"}, Product: "SkyHost WAF", Version: "8.4"}, false},
		{"another product", asset.Asset{Vendor: vendor, Product: "SkyHost VPN", Version: "8.4"}, false},
		{"of no product", asset.Asset{Vendor: vendor}, false},
	} {
		if got := n.Concerns(&tt.a); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.what, got, tt.want)
		}
	}
	n.Vendor = "SkyHost"
	if !n.Concerns(&asset.Asset{Vendor: vendor, Product: "SkyHost WAF", Version: "9.2"}) {
		t.Error("its vendor by its name is not known")
	}
}
