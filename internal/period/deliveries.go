package period

import "muster/internal/timeline"

// countDeliveries counts what has become of messages, by the name of the contact method. One that was sent again, because nobody knew what
// had come of it, ends as delivered or refused all the same.
func (c *counting) countDeliveries() {
	all := map[timeline.Kind]tallies{timeline.Delivered: {}, timeline.Refused: {}, timeline.Resent: {}}
	methods := tallies{}
	countWays(c.span, c.incidents, all, methods)
	countWays(c.span, c.reviews, all, methods)
	countWays(c.span, c.actions, all, methods)
	countWays(c.span, c.problems, all, methods)
	countWays(c.span, c.requested, all, methods)
	countWays(c.span, c.runs, all, methods)
	countWays(c.span, c.requests, all, methods)
	for _, m := range methods.keys() {
		c.count("deliveries.delivered", m, all[timeline.Delivered].of(m))
		c.count("deliveries.refused", m, all[timeline.Refused].of(m))
		c.count("deliveries.resent", m, all[timeline.Resent].of(m))
		c.share("deliveries.arrived", m, all[timeline.Delivered].of(m), all[timeline.Refused].of(m))
	}
}

func countWays[T any](in Span, things []held[T], all map[timeline.Kind]tallies, methods tallies) {
	for _, h := range things {
		for _, e := range h.entries(in, timeline.Delivered, timeline.Refused, timeline.Resent) {
			m := e.Fact("method")
			methods.of(m)
			all[e.Kind].of(m).add(1, h.files...)
		}
	}
}
