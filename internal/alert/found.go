package alert

import "errors"

// ErrTooMany says that there are more alerts than asked for.
var ErrTooMany = errors.New("too many alerts")

// Found is what was read of one alert in JSON of any form, as it stood there. Of labels with one name
// the first one counts, and the name comes before all.
type Found struct {
	Fingerprint, Name, State, StartsAt, EndsAt, Link string
	Labels, Annotations                              Labels
}
