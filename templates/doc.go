// Package templates holds the texts and definitions that ship with Muster, embedded. It holds no code: internal/report
// parses the texts and gives them their data, starter/console and starter/api do so for their pages, and internal/org reads
// the definitions.
//
//	notifications/<kind>[.<about>].<language>.tmpl   a message: defines "subject" and "text"
//	notifications/parts.<language>.tmpl              pieces that several messages share
//	notifications/plan.<language>.tmpl               all messages on runs of plans: defines "subject" and a text for each
//	timeline/sentences.<language>.tmpl               one sentence for every kind of timeline entry
//	timeline/words.<language>.tmpl                   statuses, priorities, levels, roles, targets and other words
//	timeline/period.<language>.tmpl                  the words of the reports on a week, a month, a quarter or a year
//	entitlements/sentences.<language>.tmpl           one sentence for every reason and offer of a check of entitlement
//	reports/incident.<language>.md.tmpl              the incident report, Markdown
//	reports/incident.<language>.html.tmpl            the same as one self-contained page
//	reports/result.<language>.md.tmpl, .html.tmpl    the incident result report, likewise
//	reports/parts.<language>.md.tmpl                 pieces that reports and an organisation's own forms share
//	reports/form.html.tmpl                           the page around an organisation's own form
//	reports/work-plan, completion-report, raci, decisions   the reports on runs of plans, in the same two forms
//	reports/period.<language>.md.tmpl, .html.tmpl    the report on a week, a month, a quarter or a year
//	reports/plan-parts.<language>.{md,html}.tmpl     pieces that these share
//	reports/style.html.tmpl                          what the page looks like in every language
//	fonts/<face>.ttf.gz, fonts/OFL*.txt              the fonts of PDFs, and their licences
//	console/<page>.html.tmpl                         a page of Muster, in every language
//	console/words.<language>.tmpl                    all that stands on those pages
//	console/style.css, console/icon.svg              what they look like
//	plans/<id>.yaml                                  a plan, in both languages, which internal/org reads
//	sources/<name>.yaml                              how alerts of a tool are read from its JSON, which internal/org reads
//	sources/samples/<name>.json                      what such a tool, or a source of such a type, sends as a test: starter/ingest fills it
//	register.yaml                                    the standing duties, in both languages
//	statuspage/page.html.tmpl                        a status page, in every language
//	tickets/<system>.yaml                            how tickets become what a system has, which internal/preset reads
//	channels/<type>.yaml                             how messages become what a chat has, likewise
//	api/page.html.tmpl                               the page of the API, in every language
//	api/words.<language>.yaml                        what stands on it beside what the API says of itself
//	api/style.css                                    what it looks like
//
// A text is a Go template. It sees plain data (types of internal/report such as inside, outside and view) and the functions in
// internal/report/funcs.go, nothing else. Customer updates and all-clears see no title, no alerts and no other customer:
// those are not in their data.
package templates

import "embed"

// FS holds the shipped texts.
//
//go:embed api channels console entitlements fonts notifications plans register.yaml reports sources statuspage tickets timeline
var FS embed.FS
