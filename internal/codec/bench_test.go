package codec_test

import (
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"

	"muster/internal/codec"
)

// BenchmarkPayload is one payload on its way out and back, as large as the state of a small incident.
func BenchmarkPayload(b *testing.B) {
	c := codec.Codec{Keys: ring{key("a")}}
	all := []*commonpb.Payload{plain(strings.Repeat("state", 1000))}
	b.ReportAllocs()
	for b.Loop() {
		sent, err := c.Encode(all)
		if err == nil {
			_, err = c.Decode(sent)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
