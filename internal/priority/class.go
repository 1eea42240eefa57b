package priority

// A Class is a circumstance that makes an incident weigh more, whatever else is known of it.
type Class string

// The special classes. All but regulation come from the table of impact and urgency in the operational-excellence source,
// OPS10-BP03 (source 003, lines 4303–4326); regulation is ours. These strings are in histories and definitions: add, never
// rename.
const (
	Safety     Class = "safety"     // somebody is injured, or may be
	Money      Class = "money"      // high financial impact
	Reputation Class = "reputation" // high damage to a reputation
	Regulation Class = "regulation" // ours: a law or an authority has to be answered

	VIP                Class = "vip"                 // a single very important user or group is affected
	VIPGroup           Class = "vip-group"           // several of them are
	ImminentEscalation Class = "imminent-escalation" // it is about to be escalated
	ExponentialDamage  Class = "exponential-damage"  // the damage grows exponentially
	TimeSensitive      Class = "time-sensitive"      // work that cannot wait is hit
)

// Classes lists the special classes: those that raise the impact first.
func Classes() []Class {
	return []Class{Safety, Money, Reputation, Regulation, VIP, VIPGroup, ImminentEscalation, ExponentialDamage, TimeSensitive}
}

// Raises returns what impact and urgency are at least where the class applies, empty where it says nothing of one.
func (c Class) Raises() (impact, urgency Level) {
	switch c {
	case Safety, Money, Reputation, Regulation:
		return High, ""
	case VIP:
		return "", Medium
	case VIPGroup, ImminentEscalation, ExponentialDamage, TimeSensitive:
		return "", High
	}
	return "", ""
}
