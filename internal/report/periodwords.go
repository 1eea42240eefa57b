package report

import "strings"

// periodWords lists the words that reports on periods need.
func periodWords(add func(axis, value string)) {
	single := "by-day all none open merged-into reopened rolled-back failed emergency no-target exceeded not-supplied imported corrected"
	for _, key := range strings.Fields(single) {
		add("period", key)
	}
	for _, g := range []struct{ group, keys string }{
		{"title", "week month quarter year"},
		{"tile", "incidents pressing promises missed changes failed availability no-service target"},
		{"section", "incidents promises availability changes improvements requests load deliveries server-checks resources use billing events " +
			"sources"},
		{"caption", "by-priority incidents promises availability maintenance by-kind changes actions request-promises requests " +
			"visits pages people methods bundles figures servers found resources resource-changes"},
		{"head", "priority opened resolved carried incident service alerted cause target met missed kept p50 p90 max month " +
			"availability promised downtime planned degraded left run environment begins ends kind number customer began " +
			"ended result action owner due status request received answered used year bought remaining time pages person method delivered refused resent arrived " +
			"night figure value of bundles bundle no sha256 item quantity unit amount currency date source event handling " +
			"server checks cpu memory disk failures note resource change"},
		{"figure", "incidents.reopened incidents.merged incidents.acknowledged incidents.unacknowledged mtta mttr " +
			"mttr.without-pauses updates.sent all-clears.sent all-clears.waived results.waived changes.failed changes.failure-rate " +
			"changes.rollbacks changes.emergency change-requests.addition change-requests.change change-requests.exception " +
			"change-requests.standard change-requests.emergency change-requests.exceptions overrides.freeze overrides.window actions.opened actions.open " +
			"actions.overdue actions.verified actions.effective actions.ineffective reviews.opened reviews.on-time " +
			"reviews.late reviews.kept reviews.open reviews.overdue problems.opened problems.closed problems.open " +
			"problems.recurred requests.received requests.told requests.answered requests.declined requests.withdrawn " +
			"requests.open requests.rated requests.satisfaction pages.nights"},
		{"time", "working other night"},
		{"chart", "incidents incidents.about promises promises.about downtime downtime.about pages pages.about"},
		{"processes", "ok failed"},
		{"change", "none added changed removed"},
		{"note", "took mtta mttr availability no-target changes pages deliveries sources incomplete imports"},
	} {
		for _, key := range strings.Fields(g.keys) {
			add("period", g.group+"."+key)
		}
	}
}
