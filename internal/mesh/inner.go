package mesh

import (
	"google.golang.org/protobuf/proto"
)

// MessageProblems compares decoded YAML that stands at a path with a message:
// fields that do not exist and values that cannot be read.
func MessageProblems(path Path, value any, message proto.Message) []Problem {
	s := messageSchema{}
	s.check(path, value, message.ProtoReflect().Descriptor())
	return s.problems
}
