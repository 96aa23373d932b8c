package trace

// Answer is the answer to whether something matches, when not all is known.
type Answer int

// The answers. Maybe is the zero value: nothing is decided by forgetting it.
const (
	Maybe Answer = iota
	No
	Yes
)

// Verdict is an answer with its reason. Of No it is the condition that failed,
// of Maybe what would have to be known, each as a clause: "header x-user is
// \"bob\", not \"alice\"".
type Verdict struct {
	Answer Answer
	Why    string
}

func yes() Verdict             { return Verdict{Answer: Yes} }
func no(why string) Verdict    { return Verdict{Answer: No, Why: why} }
func maybe(why string) Verdict { return Verdict{Answer: Maybe, Why: why} }

// not is the answer to the opposite; why is its reason when that is No.
func (v Verdict) not(why string) Verdict {
	switch v.Answer {
	case Yes:
		return no(why)
	case No:
		return yes()
	}
	return v
}

// all is Yes when every verdict is; the first No decides, else the first Maybe.
func all(verdicts ...Verdict) Verdict {
	unsure := yes()
	for _, v := range verdicts {
		switch {
		case v.Answer == No:
			return v
		case v.Answer == Maybe && unsure.Answer == Yes:
			unsure = v
		}
	}
	return unsure
}

// anyOf is Yes when one verdict is; with none of them it is No because of why.
func anyOf(why string, verdicts ...Verdict) Verdict {
	unsure := no(why)
	for _, v := range verdicts {
		switch {
		case v.Answer == Yes:
			return v
		case v.Answer == Maybe && unsure.Answer == No:
			unsure = v
		}
	}
	return unsure
}
