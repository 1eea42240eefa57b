package activities

// Pause is open to tests: the test environment waits in its own time.
var Pause = pause
