package proxyconfig

// part is one kind of configuration that is wanted of a dump: several are read
// in one walk.
type part struct {
	// sections are the @types of the sections that it is in.
	sections []string
	fields   map[string]Field
	// done is called after the walk.
	done func() error
}

// read reads parts of the dump.
func (s Source) read(parts ...part) error {
	var sections []string
	fields := map[string]Field{}
	for _, p := range parts {
		sections = append(sections, p.sections...)
		for name, read := range p.fields {
			if other := fields[name]; other != nil {
				one := read
				read = func(e Element) error {
					if err := other(e); err != nil {
						return err
					}
					return one(e)
				}
			}
			fields[name] = read
		}
	}
	if err := s.Each(sections, fields); err != nil {
		return err
	}
	for _, p := range parts {
		if p.done == nil {
			continue
		}
		if err := p.done(); err != nil {
			return err
		}
	}
	return nil
}
