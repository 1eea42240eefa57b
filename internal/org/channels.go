package org

// readChannelApps reads by which accounts and apps messages go out, whoever they are for.
func (b *builder) readChannelApps(o *object) {
	b.readPhones(o)
}
