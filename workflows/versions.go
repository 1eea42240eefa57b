package workflows

// Every change to a workflow that has run anywhere gets a change id here, with the date, the reason and the query that
// shows that no old run is left. The histories in testdata/histories are replayed by every build.
//
// None yet: the first released version is the one that is recorded.
