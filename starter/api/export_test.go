package api

// Routes are all routes for those who have a token, as "METHOD path", for the tests that ask whether each is tried.
func Routes() []string {
	s := &server{Config: Config{Backend: engine{}}}
	var all []string
	for _, r := range s.routes() {
		all = append(all, r.method+" "+Path+r.path)
	}
	return all
}
