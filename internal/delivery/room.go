package delivery

// A Room is where those who respond to one thing talk, as it should be now.
type Room struct {
	ID      string   // in the chat; empty: it is to be found or made
	Key     string   // of the thing: there is one room for it
	Title   string   // of the thing
	Link    string   // to the thing, empty where there is none
	Private bool     // only those who are invited see it
	Opening Message  // what is said first
	News    Message  // what is said of what has changed …
	Said    ID       // … under which identity: said twice, it stands there once
	Members []string // who belongs there, by their identities in the chat
	Archive bool     // it is over
}
